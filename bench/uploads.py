"""Uploads per second: small wheels and conda packages, validated in full and durable when answered."""

from __future__ import annotations

from collections.abc import Callable

from bench.disk import fdatasync_rate
from bench.packages import conda, wheel
from bench.server import BUILD, entrepot
from bench.table import Table

RELEASES = 10
"""Versions of each package."""


def measure(*, quick: bool) -> Table:
    """Each row on a server of its own."""
    table = Table("Uploads", "files", "connections", "per second", "server CPU ms each", "fdatasync per second")
    few, many = (100, 500) if quick else (1_000, 5_000)
    for title, make, count in (("wheels", wheel, few), ("wheels", wheel, many), ("conda packages", conda, few)):
        for connections in (1, 4):
            rate, cpu = uploads(make, count, connections)
            table.add(f"{count:,} {title}", connections, rate, cpu * 1e3, fdatasync_rate(BUILD))
    table.note(f"{RELEASES} releases of each package, about 1 kB a file. Budget: at least 300 per second at 1,000 files, and 0.9 of that at 5,000.")
    return table


def uploads(make: Callable[[str, str], tuple[str, bytes]], count: int, connections: int) -> tuple[float, float]:
    """Files per second, and server CPU seconds for each."""
    with entrepot() as server:
        packages = [make(f"package{at // RELEASES}", f"1.{at % RELEASES}") for at in range(count)]
        before = server.cpu
        outcome = server.upload(packages, connections=connections)
        return outcome.rate, (server.cpu - before) / count
