"""First answers: of a new worker, after a publish, and to who reads private packages; and the memory that they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from statistics import median

import msgpack
import zstandard

from bench import load, private
from bench.conda.scale import Scale
from bench.conda.stocks import Stocks
from bench.packages import conda, wheel
from bench.publish import CHANNEL, SHARD_INDEX, Reading, publish, reading
from bench.rates import JSON
from bench.server import NAMESPACE, Entrepot, Site
from bench.table import Table

PACKAGE = "stock0"
"""One of the stock's."""
ZST, IN_ZSTD = "repodata.json.zst, spliced", "repodata.json, asked for in zstd"
DOCUMENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "shard index": (SHARD_INDEX, {}),
    ZST: (f"{CHANNEL}/repodata.json.zst", {}),
    "repodata.json": (f"{CHANNEL}/repodata.json", {}),
    IN_ZSTD: (f"{CHANNEL}/repodata.json", {"Accept-Encoding": "zstd"}),
    "run_exports.json.zst": (f"{CHANNEL}/run_exports.json.zst", {}),
    "channeldata.json": (f"/conda/{NAMESPACE}/channeldata.json", {}),
}
"""By their titles: paths, and what else a request says."""
versions = count()


def measure(stocks: Stocks, scale: Scale) -> list[Table]:
    """Each size on a site of its own; memory at the largest."""
    largest = scale.sizes[-1]
    cold = Table("First answers of a worker that has just started", "what", "records", "wall ms", "server CPU ms", "bytes", "VmRSS MiB")
    warm = Table("First answers after a publish", "what", "records", "wall ms", "server CPU ms", "bytes")
    hidden = Table("First answers beside a private package", "what", "records", "wall ms", "server CPU ms", "bytes")
    memory = Table(f"Memory at {largest:,} conda packages", "after", "VmRSS MiB", "VmHWM MiB")
    for size in scale.sizes:
        site = stocks.of(size)
        for title, found, held in firsts(site):
            cold.add(title, size, *cells([found]), held)
        with site.serving() as server:
            watch = memory if size == largest else None
            note(watch, "the start", server)
            for path, headers in DOCUMENTS.values():
                reading(server, path, **headers)
            note(watch, "each document once", server)
            for title, readings in after_publish(server, scale.readings):
                warm.add(title, size, *cells(readings))
            note(watch, f"{scale.readings} publishes before each document", server)
            for title, readings in beside_private(server, scale.readings):
                hidden.add(title, size, *cells(readings))
            if watch is not None:
                for path, headers in DOCUMENTS.values():
                    load.repeat(server.port, [load.request("GET", path, headers)], connections=32, seconds=1).expect(200)
                note(watch, "each document to 32 connections", server)
    say(cold, warm, hidden, memory)
    warm.note(growth(warm, scale.sizes))
    return [cold, warm, hidden, memory]


def say(cold: Table, warm: Table, hidden: Table, memory: Table) -> None:
    """What there is to say below the tables."""
    cold.note("Each is the first request of a worker of its own; VmRSS is what that worker holds then. Ten versions of each name.")
    cold.note("The first ever makes and stores every shard; a cold worker finds them stored. Budget at 100,000: shard index 600 ms of CPU.")
    warm.note("Medians. Before each answer one more version of a package is published; its upload is not in the time but for the last row.")
    warm.note("Budget at 100,000, in CPU: shard index and shard 8 ms, repodata.json.zst spliced 15 ms and whole 130 ms, project page 5 ms.")
    hidden.note("Medians. The owner reads all; the first answer to a set of private packages renders what the public has already.")
    memory.note("Of a worker that was started on the filled site. Budget: at most 300 MiB resident.")


def note(table: Table | None, title: str, server: Entrepot) -> None:
    """A row of memory, where it is asked for."""
    if table is not None:
        table.add(title, *server.memories())


def cells(found: Iterable[Reading]) -> tuple[float, float, float]:
    """Milliseconds, milliseconds of CPU, bytes: medians."""
    held = list(found)
    return median(one.wall for one in held) * 1e3, median(one.cpu for one in held) * 1e3, median(one.size for one in held)


def growth(table: Table, sizes: Sequence[int]) -> str:
    """By how much the two ways of clients cost more at the largest size than at the one before."""
    if len(sizes) < 2:
        return "One size only."
    told = []
    for title in ("shard index", "shard index and the new shard", ZST):
        before, after = (next(float(row[3].replace(",", "")) for row in table.rows if row[:2] == [title, f"{size:,}"]) for size in sizes[-2:])
        told.append(f"{title} {after / before:.1f}")
    return f"From {sizes[-2]:,} to {sizes[-1]:,} records, {sizes[-1] / sizes[-2]:.0f} times as many names, the CPU grows by: {'; '.join(told)}."


# -- cold -------------------------------------------------------------------------------------------------------------


def firsts(site: Site) -> Iterator[tuple[str, Reading, float]]:
    """Title, what it took, and what the worker holds, each of a worker of its own."""
    with site.serving() as server:
        yield "shard index, first time ever", reading(server, SHARD_INDEX), server.memory("VmRSS")
    for title, (path, headers) in DOCUMENTS.items():
        with site.serving() as server:
            yield title, reading(server, path, **headers), server.memory("VmRSS")


# -- after a publish --------------------------------------------------------------------------------------------------


def after_publish(server: Entrepot, readings: int) -> Iterator[tuple[str, list[Reading]]]:
    """First answers after a publish."""
    both = [index_and_shard(server) for _ in range(readings)]
    yield "shard index", [index for index, _ in both]
    yield "shard index and the new shard", [index + shard for index, shard in both]
    for title in list(DOCUMENTS)[1:]:
        yield title, [next_reading(server, title) for _ in range(readings)]
    yield "the publish, and then each of these once", [everything(server) for _ in range(max(readings // 5, 1))]
    server.upload((wheel("package0", f"1.{next(versions)}") for _ in range(20)), connections=1)
    yield "project page of 20 wheels beside them, JSON", [next_page(server) for _ in range(readings)]


def next_reading(server: Entrepot, title: str) -> Reading:
    """A document after one more publish."""
    path, headers = DOCUMENTS[title]
    publish(server, path, PACKAGE)
    return reading(server, path, **headers)


def next_page(server: Entrepot) -> Reading:
    """The project page after one more publish."""
    page = f"/pypi/{NAMESPACE}/simple/package0/"
    publish(server, page, "package0")
    return reading(server, page, JSON)


def index_and_shard(server: Entrepot) -> tuple[Reading, Reading]:
    """The shard index after one more publish, then the shard that it names."""
    publish(server, CHANNEL, PACKAGE)
    index = reading(server, SHARD_INDEX)
    return index, reading(server, shard_path(server, PACKAGE))


def shard_path(server: Entrepot, name: str) -> str:
    """Where the shard of a name is now (CEP 16)."""
    shards = msgpack.unpackb(zstandard.decompress(server.get(SHARD_INDEX).content))["shards"]
    return f"{CHANNEL}/shards/{shards[name].hex()}.msgpack.zst"


def everything(server: Entrepot) -> Reading:
    """One more publish, and then each document: what an indexer does after one more package, which writes them all."""
    took = measured(server, lambda: publish(server, CHANNEL, PACKAGE))
    for path, headers in DOCUMENTS.values():
        took += reading(server, path, **headers)
    return took + reading(server, shard_path(server, PACKAGE))


def measured(server: Entrepot, work: Callable[[], None]) -> Reading:
    """What some work took."""
    clock, cpu = time.perf_counter(), server.cpu
    work()
    return Reading(time.perf_counter() - clock, server.cpu - cpu, 0.0, 0)


# -- private packages -------------------------------------------------------------------------------------------------


def beside_private(server: Entrepot, readings: int) -> Iterator[tuple[str, list[Reading]]]:
    """What the owner pays for what only the owner sees, and what the public does."""
    owner = {"Authorization": f"token {server.token}"}
    publish_hidden(server)
    yield "shard index, the owner's first", [reading(server, SHARD_INDEX, **owner)]
    yield f"{ZST}, the owner's first", [reading(server, DOCUMENTS[ZST][0], **owner)]
    for title in ("shard index", ZST):
        found: list[tuple[Reading, Reading]] = []
        for _ in range(readings):
            publish_hidden(server)
            found.append((reading(server, DOCUMENTS[title][0], **owner), reading(server, DOCUMENTS[title][0])))
        yield f"{title}, the owner's, after a private publish", [one for one, _ in found]
        yield f"{title}, anonymous, after a private publish", [one for _, one in found]


def publish_hidden(server: Entrepot) -> None:
    """One more version of a private package."""
    private.publish(server, [conda("hidden", f"1.{next(versions)}")], "?private=true")
