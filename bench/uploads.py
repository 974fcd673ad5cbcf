"""Uploads per second: small wheels and conda packages, validated in full and durable when answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from bench.disk import fdatasync_rate
from bench.ground import GROUNDS, Ground
from bench.packages import conda, wheel
from bench.server import BUILD, Entrepot, entrepot
from bench.table import Table

RELEASES = 10
"""Versions of each package."""


def measure(*, quick: bool, grounds: Iterable[Callable[[], AbstractContextManager[Ground]]] = GROUNDS.values()) -> list[Table]:
    """Each kind and number of connections on a server of its own, which fills up."""
    table = Table("Uploads", "files", "database", "connections", "per second", "server CPU ms", "database CPU ms", "fdatasync per second")
    step, total = (50, 200) if quick else (1_000, 5_000)
    for made in grounds:
        for title, make in (("wheels", wheel), ("conda packages", conda)):
            for connections in (1, 4):
                with made() as ground, entrepot(ground) as server:
                    most = total if make is wheel and ground.process is None else step
                    for first, last, *figures in uploads(server, make, most, step, connections):
                        table.add(f"{title} {first:,} to {last:,}", ground.title, connections, *figures, fdatasync_rate(BUILD))
    table.note(f"{RELEASES} releases of each package, about 1 kB a file; CPU for one. Budget: at least 300 per second, at 5,000 files 0.9 of that.")
    return [table]


def uploads(
    server: Entrepot, make: Callable[[str, str], tuple[str, bytes]], count: int, step: int, connections: int, prefix: str = "package"
) -> Iterator[tuple[int, int, float, float, float | str]]:
    """The first and the last step of so many uploads: first file, last file, files per second, CPU milliseconds for each (server, database)."""
    for start in range(0, count, step):
        packages = [make(f"{prefix}{at // RELEASES}", f"1.{at % RELEASES}") for at in range(start, start + step)]
        cpu, database = server.cpu, server.ground.cpu
        outcome = server.upload(packages, connections=connections)
        cpu, database = (server.cpu - cpu) / step * 1e3, (server.ground.cpu - database) / step * 1e3
        if start == 0 or start + step == count:
            yield start + 1, start + step, outcome.rate, cpu, database if server.ground.process else ""
