"""The first answer of an index after a publish: what it costs to show a new file."""

from __future__ import annotations

import time
from statistics import median

from bench.packages import conda, wheel
from bench.rates import JSON
from bench.server import NAMESPACE, Entrepot, entrepot
from bench.table import Table

DOCUMENTS = {
    "project page, JSON": (f"/pypi/{NAMESPACE}/simple/package0/", JSON),
    "root list of projects, JSON": (f"/pypi/{NAMESPACE}/simple/", JSON),
    "repodata.json": (f"/conda/{NAMESPACE}/noarch/repodata.json", "*/*"),
    "repodata.json.zst": (f"/conda/{NAMESPACE}/noarch/repodata.json.zst", "*/*"),
    "shard index": (f"/conda/{NAMESPACE}/noarch/repodata_shards.msgpack.zst", "*/*"),
}


def measure(*, quick: bool) -> Table:
    """A warm server; before each reading one more file is published, and only the answer to the reading is timed."""
    count, readings = (100, 5) if quick else (1_000, 25)
    table = Table(f"First answer after a publish, {count:,} wheels and {count:,} conda packages", "what", "wall ms", "server CPU ms", "bytes")
    with entrepot() as server:
        server.upload(wheel(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
        server.upload(conda(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
        for title, (path, accept) in DOCUMENTS.items():
            server.get(path, accept=accept)
            figures = [after_publish(server, path, accept) for _ in range(readings)]
            table.add(title, *(median(column) for column in zip(*((wall * 1e3, cpu * 1e3) for wall, cpu, _ in figures), strict=True)), figures[-1][2])
    table.note(f"Medians of {readings} publishes. The shard index includes the shard of the new file, which is stored before an index names it.")
    return table


published = iter(range(1_000_000))


def after_publish(server: Entrepot, path: str, accept: str) -> tuple[float, float, int]:
    """Publish one more release of `package0`, then ask: seconds, server CPU seconds, bytes."""
    make = wheel if path.startswith("/pypi") else conda
    server.upload([make("package0", f"2.{next(published)}")], connections=1)
    before, began = server.cpu, time.perf_counter()
    answer = server.get(path, accept=accept)
    return time.perf_counter() - began, server.cpu - before, len(answer.content)
