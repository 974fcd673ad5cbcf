"""The first answer of an index after a publish: what it costs to show a new file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from statistics import median
from typing import NamedTuple

from bench.ground import GROUNDS, Ground
from bench.packages import conda, wheel
from bench.rates import JSON
from bench.server import NAMESPACE, Entrepot, entrepot
from bench.table import Table

CHANNEL = f"/conda/{NAMESPACE}/noarch"
SHARD_INDEX = f"{CHANNEL}/repodata_shards.msgpack.zst"
DOCUMENTS = {
    "project page, JSON": (f"/pypi/{NAMESPACE}/simple/package0/", JSON),
    "root list of projects, JSON": (f"/pypi/{NAMESPACE}/simple/", JSON),
    "repodata.json": (f"{CHANNEL}/repodata.json", "*/*"),
    "repodata.json.zst": (f"{CHANNEL}/repodata.json.zst", "*/*"),
    "shard index": (SHARD_INDEX, "*/*"),
}
HEADINGS = ("what", "database", "wall ms", "server CPU ms", "database CPU ms", "bytes")


class Reading(NamedTuple):
    """What an answer took, in seconds."""

    wall: float
    cpu: float
    """The server's; where the database is in the server, that too."""
    database: float
    """CPU of the database's own processes."""
    size: int

    def __add__(self, other: Reading) -> Reading:  # type: ignore[override]  # these are no sequences to join
        return Reading(*(one + another for one, another in zip(self, other, strict=True)))  # type: ignore[arg-type]


def measure(*, quick: bool, grounds: Iterable[Callable[[], AbstractContextManager[Ground]]] = GROUNDS.values()) -> list[Table]:
    """A warm server; before each reading one more file is published, and only the answer to the reading is timed."""
    count, readings = (100, 5) if quick else (1_000, 25)
    table = Table(f"First answer after a publish, {count:,} wheels and {count:,} conda packages", *HEADINGS)
    for made in grounds:
        with made() as ground, entrepot(ground) as server:
            server.upload(wheel(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
            server.upload(conda(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
            for title, (path, accept) in DOCUMENTS.items():
                table.add(title, *cells(server, path, accept, readings))
    table.note(f"Medians of {readings} publishes. The shard index includes the shard of the new file, which is stored before an index names it.")
    return [table]


def cells(server: Entrepot, path: str, accept: str, readings: int) -> Sequence[str | float]:
    """The medians of so many first answers, as a row has them."""
    reading(server, path, accept)
    found = []
    for _ in range(readings):
        publish(server, path)
        found.append(reading(server, path, accept))
    wall, cpu, database = (median(column) * 1e3 for column in list(zip(*found, strict=True))[:3])
    return server.ground.title, wall, cpu, database if server.ground.process else "", found[-1].size


published = iter(range(1_000_000))


def publish(server: Entrepot, path: str, package: str = "package0") -> None:
    """Publish one more release of a package, of the type that a path belongs to."""
    make = wheel if path.startswith("/pypi") else conda
    server.upload([make(package, f"2.{next(published)}")], connections=1)


def reading(server: Entrepot, path: str, accept: str = "*/*", **headers: str) -> Reading:
    """Ask once."""
    cpu, database, began = server.cpu, server.ground.cpu, time.perf_counter()
    answer = server.get(path, accept=accept, **headers)
    wall = time.perf_counter() - began
    return Reading(wall, server.cpu - cpu, server.ground.cpu - database, answer.num_bytes_downloaded)
