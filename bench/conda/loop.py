"""What the event loop of a worker feels of indexes that are rendered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

from bench import load
from bench.conda.answers import DOCUMENTS, PACKAGE
from bench.conda.scale import Scale
from bench.conda.stocks import Stocks
from bench.publish import CHANNEL, publish, reading
from bench.server import Entrepot
from bench.table import Table

TICKING = (sys.executable, "-m", "bench.ticking")


def measure(stocks: Stocks, scale: Scale) -> list[Table]:
    """At the largest size."""
    largest = scale.sizes[-1]
    table = Table(f"Event loop at {largest:,} conda packages", "while", "ticks", "gaps over 5 ms", "longest gap ms", "most CPU ms in a gap")
    with stocks.of(largest).serving(*TICKING) as server:
        for title, ticks in stalled(server, scale.readings):
            table.add(title, ticks.total, ticks.late, ticks.worst * 1e3, ticks.own * 1e3)
    table.note("A task in the worker's own event loop wakes every millisecond. Budget: no gap over 5 ms while an index renders.")
    return [table]


class Ticks(NamedTuple):
    """What the loop's clock saw."""

    total: int
    late: int
    worst: float
    own: float
    """The most CPU that the server used in a gap: what is beyond it, the machine did elsewhere."""

    def __add__(self, other: Ticks) -> Ticks:  # type: ignore[override]  # these are no sequences to join
        return Ticks(self.total + other.total, self.late + other.late, max(self.worst, other.worst), max(self.own, other.own))


def stalled(server: Entrepot, readings: int) -> Iterator[tuple[str, Ticks]]:
    """A while of nothing, then renderings, cold and warm."""
    ticks(server)
    load.repeat(server.port, [load.request("GET", "/nothing")], connections=1, seconds=2)
    yield "one connection is answered 404 (control)", ticks(server)
    for title, (path, headers) in DOCUMENTS.items():
        reading(server, path, **headers)
        yield f"{title}, cold worker", ticks(server)
    for title, (path, headers) in DOCUMENTS.items():
        found = Ticks(0, 0, 0.0, 0.0)
        for _ in range(readings):
            publish(server, CHANNEL, PACKAGE)
            ticks(server)
            reading(server, path, **headers)
            found += ticks(server)
        yield f"{title}, after each of {readings} publishes", found


def ticks(server: Entrepot) -> Ticks:
    """What it saw since it was last asked."""
    found = server.get("/ticks").json()
    return Ticks(found["ticks"], found["late"], found["worst"], found["own"])
