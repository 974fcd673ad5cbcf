"""What every storage does alike: a folder, and an object store."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from entrepot.errors import NotFound
from entrepot.settings import Settings
from entrepot.storage import Storage, open_storage
from entrepot.storage.names import name_of
from object_store import shared_store
from spoiling import spoil_in


@pytest.fixture(params=["folder", "objects"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Of a storage that nobody used yet."""
    place: dict[str, Any] = shared_store().place() if request.param == "objects" else {}
    return Settings(data=tmp_path / "data", **place)


@pytest.fixture
def storage(settings: Settings) -> Iterator[Storage]:
    opened = open_storage(settings)
    opened.probe()
    yield opened
    assert list(opened.spool_folder.iterdir()) == []


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def put(storage: Storage, body: bytes) -> str:
    spool = storage.spool()
    spool.write(body)
    storage.put(spool)
    return digest(body)


async def read(storage: Storage, sha256: str, start: int, stop: int) -> bytes:
    return b"".join([chunk async for chunk in storage.chunks(sha256, start, stop)])


LARGE = os.urandom(12_000_001)  # in an object store, three parts


@pytest.mark.parametrize("body", [b"", b"x", os.urandom(70_000), LARGE], ids=["empty", "one byte", "70 kB", "12 MB"])
async def test_what_is_put_can_be_read_until_it_is_deleted(storage: Storage, body: bytes) -> None:
    name = put(storage, body)
    assert storage.size(name) == len(body)
    with storage.open(name) as file:
        assert file.read() == body
    assert await read(storage, name, 0, len(body)) == body
    assert list(storage.blobs()) == [(name, len(body))]
    assert storage.where(name).endswith(name_of(name))
    storage.delete(name)
    storage.delete(name)
    assert storage.size(name) is None
    assert list(storage.blobs()) == []


async def test_what_is_not_there_is_not_found(storage: Storage) -> None:
    assert storage.size(digest(b"nothing")) is None
    with pytest.raises(NotFound):
        storage.open(digest(b"nothing"))
    with pytest.raises(NotFound):
        await read(storage, digest(b"nothing"), 0, 7)
    storage.delete(digest(b"nothing"))


async def test_a_piece_is_read_without_the_rest(storage: Storage) -> None:
    name = put(storage, LARGE)
    for start, stop in [(0, 1), (5, 5), (11_999_990, 12_000_001), (4_000_000, 9_000_000)]:
        assert await read(storage, name, start, stop) == LARGE[start:stop]
    with storage.open(name) as file:
        assert file.seek(-3, os.SEEK_END) == 11_999_998
        assert file.read() == LARGE[-3:]
        file.seek(7_000_000)
        assert file.read(2_000_000) == LARGE[7_000_000:9_000_000]
        assert file.tell() == 9_000_000
        assert file.seek(20_000_000) == 20_000_000
        assert file.read(1) == b""


async def test_a_reader_may_leave_in_the_middle(storage: Storage) -> None:
    name = put(storage, LARGE)
    chunks = storage.chunks(name, 0, len(LARGE))
    assert await anext(chunks)
    await chunks.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


async def test_many_readers_at_once_get_what_they_ask_for(storage: Storage) -> None:
    name = put(storage, LARGE)
    found = await asyncio.gather(*(read(storage, name, 1000 * n, 1000 * n + 500_000) for n in range(20)))
    assert found == [LARGE[1000 * n : 1000 * n + 500_000] for n in range(20)]


def test_the_same_bytes_are_stored_once(storage: Storage) -> None:
    assert put(storage, b"same") == put(storage, b"same")
    assert list(storage.blobs()) == [(digest(b"same"), 4)]


@pytest.mark.parametrize("torn", [b"who", b"", b"other"])
def test_wrong_bytes_under_a_name_are_replaced(storage: Storage, settings: Settings, torn: bytes) -> None:
    spoil_in(storage, settings, digest(b"whole"), torn)
    put(storage, b"whole")
    with storage.open(digest(b"whole")) as file:
        assert file.read() == b"whole"


async def test_a_blob_that_was_cut_off_ends_early_and_is_read_no_further(storage: Storage, settings: Settings) -> None:
    name = put(storage, LARGE)
    spoil_in(storage, settings, name, LARGE[:3_000_000])
    assert storage.size(name) == 3_000_000
    assert await read(storage, name, 0, len(LARGE)) == LARGE[:3_000_000]
    assert await read(storage, name, 3_000_000, len(LARGE)) == b""
    assert await read(storage, name, 5_000_000, len(LARGE)) == b""


def test_threads_that_put_the_same_bytes_at_once_all_succeed(storage: Storage) -> None:
    barrier = threading.Barrier(8)

    def together(number: int) -> str:
        barrier.wait(10)
        return put(storage, b"%d" % (number // 24) * 10_000)

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(together, range(72)))
    assert [name for name, size in storage.blobs() if size == 10_000] == sorted(names)
    assert len(names) == 3


def test_a_small_blob_is_put_from_its_bytes(storage: Storage) -> None:
    storage.put_bytes(digest(b"small"), b"small")
    with storage.open(digest(b"small")) as file:
        assert file.read() == b"small"
    with pytest.raises(ValueError, match="these bytes are not"):
        storage.put_bytes(digest(b"other"), b"small")
    assert list(storage.blobs()) == [(digest(b"small"), 5)]


def test_blobs_come_in_order_and_what_others_have_put_beside_them_does_not(storage: Storage, settings: Settings) -> None:
    names = [put(storage, b"%d" % number) for number in range(30)]
    first = names[0]
    for stranger in (f"sha256/{first[:2]}/{first[2:4]}/README", "sha256/lost", f"sha256/00/11/{first}", f"other/{first}", f"sha256/{first}x"):
        spoil_in(storage, settings, stranger, b"strange")
    assert [name for name, _ in storage.blobs()] == sorted(names)


def test_sweep_removes_what_dead_uploads_left_and_nothing_else(storage: Storage) -> None:
    kept = put(storage, b"kept")
    dead, alive = storage.spool(), storage.spool()
    dead.write(b"dead")
    dead.sync()
    [left] = storage.spool_folder.iterdir()
    os.utime(left, (0, 0))
    alive.write(b"alive")
    alive.sync()
    assert storage.sweep(older_than=3600) == 1
    storage.put(alive)
    dead.discard()
    assert [name for name, _ in storage.blobs()] == sorted([kept, digest(b"alive")])


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" + "a" * 63, "a" * 64 + "?acl"])
async def test_a_name_that_is_no_sha256_leads_nowhere(storage: Storage, name: str) -> None:
    for use in (storage.path, storage.where, storage.open, storage.size, storage.delete):
        with pytest.raises(ValueError, match="hexadecimal sha256"):
            use(name)
    with pytest.raises(ValueError, match=r"these bytes are not|hexadecimal sha256"):
        storage.put_bytes(name, b"")
    with pytest.raises(ValueError, match="hexadecimal sha256"):
        await read(storage, name, 0, 1)
