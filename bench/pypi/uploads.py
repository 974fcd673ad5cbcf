"""Uploads per second into servers that hold so many files: ours validates each in full and has it durable when it answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from statistics import median

from bench.disk import fdatasync_rate
from bench.packages import wheel
from bench.pypi.fields import Fields
from bench.pypi.rivals import RELEASES, Rival
from bench.pypi.scale import Scale
from bench.server import BUILD
from bench.table import Table

made = count()
CONNECTIONS = (1, 4)


def measure(fields: Fields, scale: Scale) -> list[Table]:
    """At each size, on one connection and on four."""
    table = Table("Uploads of wheels, beside the peers", "server", "files", "connections", "per second", "ours / it", "server CPU ms")
    rates: dict[tuple[str, int, int], float] = {}
    for size in scale.sizes:
        rivals = [rival for rival in fields.of(size).rivals if rival.uploading]
        for connections in CONNECTIONS:
            found = turns(rivals, connections, scale)
            for rival in rivals:
                rate, cpu = found[rival.title]
                rates[rival.title, size, connections] = rate
                table.add(rival.title, size, connections, rate, found["Entrepot"][0] / rate, cpu)
    table.note(f"The servers all run and take turns of {scale.turn} uploads by the form of twine; medians of {scale.rounds}.")
    table.note("No peer looks into what is uploaded; pypiserver does not wait for the disk, devpi-server for its database alone.")
    table.note(f"The disk syncs {fdatasync_rate(BUILD):,.0f} times a second. Budget: 3 × the best peer, at the largest size 0.9 of the smallest's.")
    for connections in CONNECTIONS:
        table.note(verdict(rates, scale.sizes, connections))
    return [table]


def turns(rivals: Sequence[Rival], connections: int, scale: Scale) -> dict[str, tuple[float, float]]:
    """Uploads per second and milliseconds of CPU for each, by the servers' titles."""
    found: dict[str, list[tuple[float, float]]] = {rival.title: [] for rival in rivals}
    for _ in range(scale.rounds):
        packages = [wheel(f"late{number // RELEASES}", f"1.{number % RELEASES}") for number in (next(made) for _ in range(scale.turn))]
        for rival in rivals:
            before = rival.process.cpu
            rate = rival.upload(packages, connections=connections).rate
            found[rival.title].append((rate, (rival.process.cpu - before) / scale.turn * 1e3))
    return {title: (median(rate for rate, _ in pairs), median(cpu for _, cpu in pairs)) for title, pairs in found.items()}


def verdict(rates: dict[tuple[str, int, int], float], sizes: Sequence[int], connections: int) -> str:
    """What became of the budget."""
    told = []
    for size in sizes:
        peers = {title: rate for (title, at, by), rate in rates.items() if (at, by) == (size, connections) and title != "Entrepot"}
        best = max(peers, key=peers.__getitem__)
        told.append(f"{rates['Entrepot', size, connections] / peers[best]:.1f} × {best} at {size:,} files")
    flat = rates["Entrepot", sizes[-1], connections] / rates["Entrepot", sizes[0], connections]
    return f"Connections: {connections}. Entrepot {', '.join(told)}; at the largest size {flat:.2f} of its own rate at the smallest."
