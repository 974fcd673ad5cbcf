"""Blobs in a folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from entrepot.errors import NotFound, SettingsError, Unavailable
from entrepot.settings import Settings
from entrepot.storage import LocalStorage, open_storage

PUTTER = """
import sys
from pathlib import Path
from entrepot.storage import LocalStorage

storage = LocalStorage(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(20):
    spool = storage.spool()
    spool.write(b"%d" % number * 50_000)
    storage.put(spool)
"""


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def put(storage: LocalStorage, body: bytes) -> str:
    spool = storage.spool()
    spool.write(body)
    storage.put(spool)
    return digest(body)


def spooled(folder: Path) -> list[Path]:
    return list((folder / "spool").iterdir())


@pytest.mark.parametrize("body", [b"", b"x", os.urandom(3 << 20)], ids=["empty", "one byte", "3 MiB"])
def test_what_is_put_can_be_read_until_it_is_deleted(storage: LocalStorage, folder: Path, body: bytes) -> None:
    name = put(storage, body)
    assert storage.size(name) == len(body)
    with storage.open(name) as file:
        assert file.read() == body
    assert storage.path(name) == folder / "sha256" / name[:2] / name[2:4] / name
    assert list(storage.blobs()) == [(name, len(body))]
    assert spooled(folder) == []
    storage.delete(name)
    storage.delete(name)
    assert storage.size(name) is None
    with pytest.raises(NotFound):
        storage.open(name)
    assert list(storage.blobs()) == []


def test_put_syncs_the_file_before_it_gets_its_name_and_every_new_name_after(
    storage: LocalStorage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"durable"
    place = storage.path(digest(body))
    synced: list[tuple[int, bool]] = []
    sync = os.fsync

    def watched(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, place.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    put(storage, body)
    assert (place.stat().st_ino, False) in synced
    assert (place.stat().st_ino, True) not in synced
    assert (place.parent.stat().st_ino, True) in synced  # the blob's name
    assert (place.parent.parent.stat().st_ino, False) in synced  # the name of the new folder cd
    assert (place.parent.parent.parent.stat().st_ino, False) in synced  # the name of the new folder ab
    synced.clear()
    put(storage, body)
    assert len(synced) == 2  # the folders are known: the file and its name alone


def test_the_same_bytes_are_stored_once(storage: LocalStorage, folder: Path) -> None:
    assert put(storage, b"same") == put(storage, b"same")
    assert list(storage.blobs()) == [(digest(b"same"), 4)]


def test_torn_bytes_under_a_name_are_replaced(storage: LocalStorage) -> None:
    name = put(storage, b"whole")
    storage.path(name).write_bytes(b"who")
    put(storage, b"whole")
    assert storage.path(name).read_bytes() == b"whole"


def test_threads_that_put_the_same_bytes_at_once_all_succeed(storage: LocalStorage, folder: Path) -> None:
    barrier = threading.Barrier(8)

    def together(number: int) -> str:
        barrier.wait(10)
        return put(storage, b"%d" % (number // 80) * 10_000)

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(together, range(240)))
    assert [name for name, size in storage.blobs() if size == 10_000] == sorted(names)
    assert len(names) == 3
    assert all(digest(storage.path(name).read_bytes()) == name for name in names)
    assert spooled(folder) == []


def test_processes_that_put_the_same_bytes_at_once_all_succeed(storage: LocalStorage, folder: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PUTTER, str(folder)], stdin=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]
    found = list(storage.blobs())
    assert found == sorted((digest(b"%d" % number * 50_000), len(b"%d" % number) * 50_000) for number in range(20))
    assert all(digest(storage.path(name).read_bytes()) == name for name, _ in found)
    assert spooled(folder) == []


def test_a_small_blob_is_put_from_its_bytes(storage: LocalStorage, folder: Path) -> None:
    storage.put_bytes(digest(b"small"), b"small")
    assert storage.path(digest(b"small")).read_bytes() == b"small"
    with pytest.raises(ValueError, match="these bytes are not"):
        storage.put_bytes(digest(b"other"), b"small")
    assert list(storage.blobs()) == [(digest(b"small"), 5)]
    assert spooled(folder) == []


def in_place_of_the_root(folder: Path, name: str) -> None:
    (folder / "sha256").rmdir()
    (folder / "sha256").touch()


def in_place_of_the_first_folder(folder: Path, name: str) -> None:
    (folder / "sha256" / name[:2]).touch()


def in_place_of_the_blob(folder: Path, name: str) -> None:
    (folder / "sha256" / name[:2] / name[2:4] / name).mkdir(parents=True)


@pytest.mark.parametrize("obstacle", [in_place_of_the_root, in_place_of_the_first_folder, in_place_of_the_blob])
def test_a_put_that_fails_leaves_neither_blob_nor_spool(storage: LocalStorage, folder: Path, obstacle: Callable[[Path, str], None]) -> None:
    obstacle(folder, digest(b"body"))
    with pytest.raises(Unavailable, match="nothing was stored"):
        put(storage, b"body")
    assert spooled(folder) == []
    assert not storage.path(digest(b"body")).is_file()


def test_a_folder_that_was_tidied_away_is_made_again(storage: LocalStorage) -> None:
    name = put(storage, b"body")
    storage.delete(name)
    storage.path(name).parent.rmdir()
    storage.path(name).parent.parent.rmdir()
    assert storage.size(put(storage, b"body")) == 4


def test_sweep_removes_what_dead_uploads_left_and_nothing_else(storage: LocalStorage, folder: Path) -> None:
    kept = put(storage, b"kept")
    dead, alive = storage.spool(), storage.spool()
    dead.write(b"dead")
    dead.sync()
    [left] = spooled(folder)
    os.utime(left, (0, 0))
    alive.write(b"alive")
    alive.sync()
    assert storage.sweep(older_than=3600) == 1
    assert len(spooled(folder)) == 1
    storage.put(alive)
    dead.discard()
    assert [name for name, _ in storage.blobs()] == sorted([kept, digest(b"alive")])


def test_blobs_come_in_order_and_strangers_are_passed_over(storage: LocalStorage, folder: Path) -> None:
    names = [put(storage, b"%d" % number) for number in range(30)]
    (folder / "sha256" / names[0][:2] / names[0][2:4] / "README").touch()
    (folder / "sha256" / ".DS_Store").touch()
    (folder / "sha256" / names[0][:2] / "lost").touch()
    assert [name for name, _ in storage.blobs()] == sorted(names)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" + "a" * 63])
def test_a_name_that_is_no_sha256_never_becomes_a_path(storage: LocalStorage, name: str) -> None:
    for use in (storage.path, storage.open, storage.size, storage.delete):
        with pytest.raises(ValueError, match="hexadecimal sha256"):
            use(name)


def test_storage_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(SettingsError, match="cannot be stored in"):
        open_storage(Settings(data=tmp_path / "data"))


def test_spool_and_blobs_lie_on_one_file_system(tmp_path: Path) -> None:
    open_storage(Settings(data=tmp_path / "data"))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "data",
        "data/blobs",
        "data/blobs/sha256",
        "data/blobs/spool",
    ]
