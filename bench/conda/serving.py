"""Answers per second of what a channel serves, warm, beside a bare Starlette route."""

from __future__ import annotations

from bench import load
from bench.conda.answers import DOCUMENTS, IN_ZSTD, PACKAGE, shard_path
from bench.conda.scale import Scale
from bench.conda.stocks import Stocks
from bench.publish import CHANNEL
from bench.rates import HEADINGS, Lane, Subject, compare
from bench.server import Entrepot
from bench.table import Table


def measure(stocks: Stocks, scale: Scale) -> list[Table]:
    """Each document of the channel in the middle, at one connection and at 32."""
    size = scale.sizes[len(scale.sizes) // 2]
    table = Table(f"Answers of a channel of {size:,} records", *HEADINGS, "database CPU µs", "304 per second", "304 / full")
    missing = Table("Answers that nothing of this name is served", "what", "connections", "per second", "CPU µs")
    with stocks.of(size).serving() as server:
        subjects = [Subject(title, [path]) for title, (path, _) in DOCUMENTS.items() if title != IN_ZSTD]
        subjects += [
            Subject("shard", [shard_path(server, PACKAGE)]),
            Subject("repodata_from_packages.json", [f"{CHANNEL}/repodata_from_packages.json"]),
        ]
        for subject in subjects:
            for connections in (1, 32):
                table.add(*compare(server, subject, connections, scale.rounds, scale.seconds))
        for name in ("current_repodata.json", "repodata.json.bz2"):
            for connections in (1, 32):
                missing.add(f"404 of {name}", connections, *refused(server, f"{CHANNEL}/{name}", connections, scale))
    table.note("The bare route answers the same headers and body. Ours, it and the 304 take turns; each figure is the median of the rounds.")
    table.note("Budget: 0.85 × the bare route at one connection, 0.9 × at 32; a 304 1.1 × the full answer.")
    return [table, missing]


def refused(server: Entrepot, path: str, connections: int, scale: Scale) -> tuple[float, float]:
    """Answers per second, and microseconds of CPU for each."""
    lane = Lane(server, [load.request("GET", path)], 404)
    for _ in range(scale.rounds):
        lane.run(connections, scale.seconds)
    return lane.rate, lane.cpu
