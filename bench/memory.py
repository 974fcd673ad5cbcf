"""Memory of the server: what it holds after 5,000 small files, and what one very large file adds on its way up and down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import load
from bench.packages import conda, wheel, write_wheel
from bench.publish import DOCUMENTS
from bench.rates import files
from bench.server import BUILD, NAMESPACE, Entrepot, entrepot
from bench.table import Table


def measure(*, quick: bool) -> list[Table]:
    """One server: many small files, their index documents, then one large file up and down."""
    count, weight = (100, 32) if quick else (2_500, 2_048)
    table = Table("Memory", "after", "VmRSS MiB", "VmHWM MiB", "added MiB", "MiB per second")
    with TemporaryDirectory(dir=BUILD) as folder, entrepot(max_upload=str(4 << 30)) as server:
        table.add("the start", *server.memories(), "", "")
        server.upload(wheel(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
        server.upload(conda(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
        table.add(f"{2 * count:,} small uploads", *server.memories(), "", "")
        for url, accept in DOCUMENTS.values():
            load.repeat(server.port, [load.request("GET", url, {"Accept": accept})], connections=32, seconds=1).expect(200)
        table.add("each index document to 32 connections", *server.memories(), "", "")
        path = Path(folder, "large-1.0-py3-none-any.whl")
        write_wheel(path, "large", "1.0", weight << 20)
        add(table, server, f"an upload of {weight:,} MiB", weight, lambda: upload(server, path))
        add(table, server, f"a download of {weight:,} MiB", weight, lambda: download(server, path.stat().st_size))
    table.note("Added: by how much the peak during the work was above what was resident before it.")
    table.note("Budget: at most 200 MiB resident at 5,000 files; a large upload or download adds at most 64 MiB.")
    return [table]


def add(table: Table, server: Entrepot, title: str, weight: int, work: Callable[[], float]) -> None:
    """A row of a piece of work that answers how many seconds it took."""
    server.forget_peak()
    held = server.memory("VmHWM")
    seconds = work()
    table.add(title, *server.memories(), server.memory("VmHWM") - held, weight / seconds)


def upload(server: Entrepot, path: Path) -> float:
    """Upload a large file."""
    head = server.put(path.name, b"", path.stat().st_size)
    return load.send_file(server.port, head, path, 201)


def download(server: Entrepot, size: int) -> float:
    """Download it."""
    (path,) = files(server, f"/pypi/{NAMESPACE}/simple/large/")
    return load.receive(server.port, load.request("GET", path), size)
