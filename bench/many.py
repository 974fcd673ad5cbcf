"""A site of 100,000 conda packages: uploads, cold and warm first answers, memory, and what the event loop feels of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import count as numbers
from statistics import median
from typing import NamedTuple

import msgpack
import zstandard

from bench import load
from bench.disk import fdatasync_rate
from bench.packages import conda, wheel
from bench.publish import CHANNEL, DOCUMENTS, SHARD_INDEX, Reading, publish, reading
from bench.server import BUILD, Entrepot, site
from bench.table import Table

PACKAGE = "stock0"
"""One of the stock's."""
SHOWN = ("shard index", "repodata.json.zst", "repodata.json")
TICKING = (sys.executable, "-m", "bench.ticking")
FEW = 1_000
versions = numbers()


def measure(*, quick: bool) -> list[Table]:
    """One site, filled once and served three times: for the first time ever, by a cold worker, and with a clock on its event loop."""
    many, readings, rounds = (2_000, 3, 3) if quick else (100_000, 25, 15)
    rates, answers, memory, stalls = tables(many)
    with site() as big, site() as small:
        big.stock(many)
        small.stock(FEW)
        with big.serving() as server:
            answers.add("shard index, first time ever", *cells([reading(server, SHARD_INDEX)]))
        with big.serving() as server:
            memory.add("the start", *server.memories())
            for title in SHOWN:
                answers.add(f"{title}, cold worker", *cells([reading(server, DOCUMENTS[title][0])]))
            memory.add("each document once", *server.memories())
            for title, found in warm(server, readings):
                answers.add(title, *cells(found))
            memory.add(f"{readings} publishes before each document", *server.memories())
            with small.serving() as other:
                for connections in (1, 4):
                    rates.add(*uploads(server, other, connections, rounds))
            for title in SHOWN:
                load.repeat(server.port, [load.request("GET", DOCUMENTS[title][0])], connections=32, seconds=1).expect(200)
            memory.add("each document to 32 connections", *server.memories())
        with big.serving(*TICKING) as server:
            for title, ticks in stalled(server, readings):
                stalls.add(title, ticks.total, ticks.late, ticks.worst * 1e3)
    return [rates, answers, memory, stalls]


def tables(many: int) -> tuple[Table, Table, Table, Table]:
    """Empty ones, with what there is to say below them."""
    rates = Table(
        f"Uploads at {many:,} files",
        "conda packages",
        "connections",
        "per second",
        f"at {FEW:,} files",
        "ratio",
        "CPU ms",
        f"at {FEW:,}",
        "fdatasync per second",
    )
    rates.note("Both servers run, and take turns of 50 uploads; medians of the rounds. Budget: at least 0.9 of the rate at 1,000 files.")
    answers = Table(f"First answers at {many:,} conda packages", "what", "wall ms", "server CPU ms", "bytes")
    answers.note(
        f"{many // 10:,} names with 10 versions each. After a publish: medians. A cold worker finds the shards stored; the first ever stores them."
    )
    answers.note(
        "Budget, in CPU: after a publish shard and shard index 8 ms, repodata.json.zst 130 ms (15 ms where it is spliced), "
        "project page 5 ms; cold worker, shard index, 600 ms."
    )
    memory = Table(f"Memory at {many:,} conda packages", "after", "VmRSS MiB", "VmHWM MiB")
    memory.note("Of a worker that was started on the filled site. Budget: at most 300 MiB resident.")
    stalls = Table(f"Event loop at {many:,} conda packages", "while", "ticks", "gaps over 5 ms", "longest gap ms")
    stalls.note("A task in the worker's own event loop wakes every millisecond. Budget: no gap over 5 ms while an index renders.")
    return rates, answers, memory, stalls


def cells(found: Iterable[Reading]) -> tuple[float, float, float]:
    """Milliseconds, milliseconds of CPU, bytes: medians."""
    held = list(found)
    return median(one.wall for one in held) * 1e3, median(one.cpu for one in held) * 1e3, median(one.size for one in held)


def warm(server: Entrepot, readings: int) -> Iterator[tuple[str, list[Reading]]]:
    """First answers after a publish."""
    found = [index_and_shard(server) for _ in range(readings)]
    yield "shard index, after a publish", [index for index, _ in found]
    yield "shard index and the new shard", [index + shard for index, shard in found]
    for title in SHOWN[1:]:
        yield f"{title}, after a publish", [next_reading(server, title) for _ in range(readings)]
    server.upload(wheel("package0", f"1.{at}") for at in range(20))
    yield "project page, JSON, after a publish", [next_reading(server, "project page, JSON") for _ in range(readings)]


def next_reading(server: Entrepot, title: str) -> Reading:
    """A document after one more publish."""
    path, accept = DOCUMENTS[title]
    publish(server, path, "package0" if path.startswith("/pypi") else PACKAGE)
    return reading(server, path, accept)


def index_and_shard(server: Entrepot) -> tuple[Reading, Reading]:
    """The shard index after one more publish, then the shard that it names."""
    publish(server, CHANNEL, PACKAGE)
    index = reading(server, SHARD_INDEX)
    shards = msgpack.unpackb(zstandard.decompress(server.get(SHARD_INDEX).content))["shards"]
    return index, reading(server, f"{CHANNEL}/shards/{shards[PACKAGE].hex()}.msgpack.zst")


def uploads(big: Entrepot, small: Entrepot, connections: int, rounds: int, step: int = 50) -> list[float | str]:
    """A row: uploads to both in turns."""
    rates: tuple[list[float], list[float]] = ([], [])
    cpus: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        packages = [conda(f"late{at // 10}", f"{next(versions)}.0") for at in range(step)]
        for at, server in enumerate((big, small)):
            before = server.cpu
            rates[at].append(server.upload(packages, connections=connections).rate)
            cpus[at].append((server.cpu - before) / step * 1e3)
    ratio = median(one / other for one, other in zip(*rates, strict=True))
    return ["small ones", connections, median(rates[0]), median(rates[1]), ratio, median(cpus[0]), median(cpus[1]), fdatasync_rate(BUILD)]


class Ticks(NamedTuple):
    """What the loop's clock saw."""

    total: int
    late: int
    worst: float

    def __add__(self, other: Ticks) -> Ticks:  # type: ignore[override]  # these are no sequences to join
        return Ticks(self.total + other.total, self.late + other.late, max(self.worst, other.worst))


def stalled(server: Entrepot, readings: int) -> Iterator[tuple[str, Ticks]]:
    """A while of nothing, then renderings, cold and warm."""
    ticks(server)
    load.repeat(server.port, [load.request("GET", "/nothing")], connections=1, seconds=2)
    yield "one connection is answered 404 (control)", ticks(server)
    for title in SHOWN:
        reading(server, DOCUMENTS[title][0])
        yield f"{title}, cold worker", ticks(server)
    for title in SHOWN:
        found = Ticks(0, 0, 0.0)
        for _ in range(readings):
            publish(server, CHANNEL, PACKAGE)
            ticks(server)
            reading(server, DOCUMENTS[title][0])
            found += ticks(server)
        yield f"{title}, after each of {readings} publishes", found


def ticks(server: Entrepot) -> Ticks:
    """What it saw since it was last asked."""
    found = server.get("/ticks").json()
    return Ticks(found["ticks"], found["late"], found["worst"])
