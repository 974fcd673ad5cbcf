"""Memory of the server: what it holds after 5,000 small files, and what one very large file adds on its way up and down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import load
from bench.ground import object_store
from bench.packages import conda, wheel, write_wheel
from bench.publish import DOCUMENTS
from bench.rates import files
from bench.server import BUILD, NAMESPACE, Entrepot, entrepot
from bench.table import Table

MAX_UPLOAD = str(4 << 30)


def measure(*, quick: bool) -> list[Table]:
    """One server: many small files, their index documents, then one large file up and down; the large one again on an object store."""
    count, weight = (100, 32) if quick else (2_500, 2_048)
    table = Table("Memory", "after", "files in", "VmRSS MiB", "VmHWM MiB", "added MiB", "MiB per second")
    with TemporaryDirectory(dir=BUILD) as folder:
        path = Path(folder, "large-1.0-py3-none-any.whl")
        write_wheel(path, "large", "1.0", weight << 20)
        with entrepot(max_upload=MAX_UPLOAD) as server:
            many(table, server, count)
            large(table, server, "a folder", path, weight)
        with object_store() as ground, entrepot(ground, max_upload=MAX_UPLOAD) as server:
            large(table, server, ground.title, path, weight)
    table.note("Added: by how much the peak during the work was above what was resident before it. SeaweedFS: the bytes pass through the server.")
    table.note("Budget: at most 200 MiB resident at 5,000 files; a large upload or download adds at most 64 MiB.")
    return [table]


def many(table: Table, server: Entrepot, count: int) -> None:
    """So many wheels and as many conda packages, and their index documents."""
    table.add("the start", "a folder", *server.memories(), "", "")
    server.upload(wheel(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
    server.upload(conda(f"package{at // 10}", f"1.{at % 10}") for at in range(count))
    table.add(f"{2 * count:,} small uploads", "a folder", *server.memories(), "", "")
    for url, accept in DOCUMENTS.values():
        load.repeat(server.port, [load.request("GET", url, {"Accept": accept})], connections=32, seconds=1).expect(200)
    table.add("each index document to 32 connections", "a folder", *server.memories(), "", "")


def large(table: Table, server: Entrepot, where: str, path: Path, weight: int) -> None:
    """One large file, up and down."""
    add(table, server, (f"an upload of {weight:,} MiB", where), weight, lambda: upload(server, path))
    add(table, server, (f"a download of {weight:,} MiB", where), weight, lambda: download(server, path.stat().st_size))


def add(table: Table, server: Entrepot, titles: Sequence[str], weight: int, work: Callable[[], float]) -> None:
    """A row of a piece of work that answers how many seconds it took."""
    server.forget_peak()
    held = server.memory("VmHWM")
    seconds = work()
    table.add(*titles, *server.memories(), server.memory("VmHWM") - held, weight / seconds)


def upload(server: Entrepot, path: Path) -> float:
    """Upload a large file."""
    head = server.put(path.name, b"", path.stat().st_size)
    return load.send_file(server.port, head, path, 201)


def download(server: Entrepot, size: int) -> float:
    """Download it."""
    (path,) = files(server, f"/pypi/{NAMESPACE}/simple/large/")
    return load.receive(server.port, load.request("GET", path), size)
