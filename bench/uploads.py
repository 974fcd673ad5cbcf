"""Uploads per second: small wheels and conda packages, validated in full and durable when answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.disk import fdatasync_rate
from bench.packages import conda, wheel
from bench.server import BUILD, entrepot
from bench.table import Table

RELEASES = 10
"""Versions of each package."""


def measure(*, quick: bool) -> Table:
    """Each kind and number of connections on a server of its own, which fills up."""
    table = Table("Uploads", "files", "connections", "per second", "server CPU ms each", "fdatasync per second")
    step, total = (50, 200) if quick else (1_000, 5_000)
    for title, make, count in (("wheels", wheel, total), ("conda packages", conda, step)):
        for connections in (1, 4):
            for first, last, rate, cpu in uploads(make, count, step, connections):
                table.add(f"{title} {first:,} to {last:,}", connections, rate, cpu * 1e3, fdatasync_rate(BUILD))
    table.note(f"{RELEASES} releases of each package, about 1 kB a file. Budget: at least 300 per second at 1,000 files, and 0.9 of that at 5,000.")
    return table


def uploads(make: Callable[[str, str], tuple[str, bytes]], count: int, step: int, connections: int) -> Iterator[tuple[int, int, float, float]]:
    """The first and the last step of so many uploads: first file, last file, files per second, server CPU seconds for each."""
    with entrepot() as server:
        for start in range(0, count, step):
            packages = [make(f"package{at // RELEASES}", f"1.{at % RELEASES}") for at in range(start, start + step)]
            before = server.cpu
            outcome = server.upload(packages, connections=connections)
            if start == 0 or start + step == count:
                yield start + 1, start + step, outcome.rate, (server.cpu - before) / step
