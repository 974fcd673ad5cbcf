"""One project with thousands of files: its page after a publish."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from statistics import median

from bench.packages import wheel
from bench.publish import Reading, reading
from bench.pypi.fields import Fields
from bench.pypi.scale import Scale
from bench.rates import JSON
from bench.server import NAMESPACE, Entrepot, entrepot
from bench.table import Table

PAGE = f"/pypi/{NAMESPACE}/simple/crowded/"
ASKED = {
    "JSON": (JSON, {}),
    "HTML": ("text/html", {}),
    "JSON, gzip": (JSON, {"Accept-Encoding": "gzip"}),
    "JSON, zstd": (JSON, {"Accept-Encoding": "zstd"}),
}


def measure(fields: Fields, scale: Scale) -> list[Table]:
    """Of our own."""
    table = Table(f"A project of {scale.versions:,} files", "page after a publish", "wall ms", "server CPU ms", "bytes")
    with entrepot() as server:
        began = time.perf_counter()
        numbers = count()
        server.upload(wheel("crowded", f"1.{next(numbers)}") for _ in range(scale.versions))
        rate = scale.versions / (time.perf_counter() - began)
        for title, (accept, headers) in ASKED.items():
            found = [after_publish(server, f"1.{next(numbers)}", accept, headers) for _ in range(scale.readings)]
            table.add(title, median(one.wall for one in found) * 1e3, median(one.cpu for one in found) * 1e3, found[-1].size)
    table.note(f"Medians of {scale.readings}. The files went in at {rate:,.0f} per second. Budget: 50 ms.")
    return [table]


def after_publish(server: Entrepot, version: str, accept: str, headers: Mapping[str, str]) -> Reading:
    """The page when one more file was published."""
    server.upload([wheel("crowded", version)], connections=1)
    return reading(server, PAGE, accept, **headers)
