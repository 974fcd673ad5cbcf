"""Peak memory of the server."""

from __future__ import annotations

from collections.abc import Callable

from bench import load
from bench.packages import conda, wheel
from bench.publish import DOCUMENTS
from bench.rates import files
from bench.server import NAMESPACE, Entrepot, entrepot
from bench.table import Table


def measure(*, quick: bool) -> Table:
    """One server: many small files, their index documents, then one large file up and down."""
    count, weight = (100, 32) if quick else (2_500, 1_024)
    table = Table("Memory", "after", "VmRSS MiB", "VmHWM MiB")
    with entrepot() as server:
        row(table, server, "the start")
        server.upload(wheel(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
        server.upload(conda(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
        row(table, server, f"{2 * count:,} small uploads")
        for path, accept in DOCUMENTS.values():
            load.repeat(server.port, [load.request("GET", path, {"Accept": accept})], connections=32, seconds=1).expect(200)
        row(table, server, "each index document to 32 connections")
        added_up = peak_of(server, table, f"an upload of {weight:,} MiB", lambda: upload(server, weight << 20))
        added_down = peak_of(server, table, f"a download of {weight:,} MiB", lambda: download(server, weight << 20))
    table.note(f"The large upload raised the peak by {added_up:.0f} MiB, the download by {added_down:.0f} MiB.")
    table.note("Budget: at most 200 MiB resident at 5,000 files; a large upload or download adds at most 64 MiB.")
    return table


def row(table: Table, server: Entrepot, after: str) -> None:
    """What the kernel says now."""
    table.add(after, server.memory("VmRSS"), server.memory("VmHWM"))


def peak_of(server: Entrepot, table: Table, title: str, work: Callable[[], None]) -> float:
    """By how many MiB a piece of work raises the peak above what was held before it."""
    server.forget_peak()
    held = server.memory("VmHWM")
    work()
    row(table, server, title)
    return server.memory("VmHWM") - held


def upload(server: Entrepot, weight: int) -> None:
    """Upload one large wheel."""
    server.upload([wheel("large", "1.0", weight=weight)], connections=1)


def download(server: Entrepot, weight: int) -> None:
    """Download it."""
    (path,) = files(server, f"/pypi/{NAMESPACE}/simple/large/")
    with server.client.stream("GET", path) as answer:
        size = sum(len(chunk) for chunk in answer.raise_for_status().iter_raw())
    if size < weight:
        raise SystemExit(f"The download ended after {size:,} bytes.")
