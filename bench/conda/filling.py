"""Uploads per second into channels of many sizes: the ratio is the point."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from bench.conda.answers import versions
from bench.conda.scale import Scale
from bench.conda.stocks import Stocks
from bench.disk import fdatasync_rate
from bench.packages import conda
from bench.server import BUILD, Entrepot, site
from bench.table import Table
from bench.uploads import uploads

STEP = 50


def measure(stocks: Stocks, scale: Scale) -> list[Table]:
    """A channel that is filled by uploads alone, then three that take turns."""
    filling = Table("Filling a channel with real archives", "files", "connections", "per second", "server CPU ms")
    turns = Table("Uploads into channels of many sizes", "channel", "connections", "per second", "of the empty one's rate", "server CPU ms")
    with ExitStack() as stack:
        empty, filled = (stack.enter_context(stack.enter_context(site()).serving()) for _ in range(2))
        for first, last, rate, cpu, _ in uploads(filled, conda, scale.archives, max(scale.archives // 5, 1), 4):
            filling.add(f"{first:,} to {last:,}", 4, rate, cpu)
        large = stack.enter_context(stocks.of(scale.sizes[-1]).serving())
        servers = {"empty at first": empty, f"{scale.archives:,} records, uploaded": filled, f"{scale.sizes[-1]:,} records": large}
        for connections in (1, 4):
            for title, rate, ratio, cpu in rates(servers, connections, scale.rounds):
                turns.add(title, connections, rate, ratio, cpu)
    filling.note("Small .conda files through the upload route, validated in full and durable when answered.")
    turns.note(f"The servers all run, and take turns of {STEP} uploads; medians of the rounds. Budget: at least 0.9 of the rate at 1,000 files.")
    turns.note(f"The disk syncs {fdatasync_rate(BUILD):,.0f} times a second.")
    return [filling, turns]


def rates(servers: dict[str, Entrepot], connections: int, rounds: int) -> list[tuple[str, float, float, float]]:
    """For each: title, uploads per second, their ratio to the first server's in the same round, CPU milliseconds."""
    found: dict[str, list[float]] = {title: [] for title in servers}
    cpus: dict[str, list[float]] = {title: [] for title in servers}
    for _ in range(rounds):
        packages = [conda(f"late{at // 10}", f"{next(versions)}.0") for at in range(STEP)]
        for title, server in servers.items():
            before = server.cpu
            found[title].append(server.upload(packages, connections=connections).rate)
            cpus[title].append((server.cpu - before) / STEP * 1e3)
    first = next(iter(found.values()))
    ratios = {title: median(one / other for one, other in zip(mine, first, strict=True)) for title, mine in found.items()}
    return [(title, median(found[title]), ratios[title], median(cpus[title])) for title in servers]
