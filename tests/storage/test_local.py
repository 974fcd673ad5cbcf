"""Blobs in a folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from entrepot.errors import SettingsError, Unavailable
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


def test_a_blob_lies_under_its_digest(storage: LocalStorage, folder: Path) -> None:
    name = put(storage, b"body")
    assert storage.path(name) == folder / "sha256" / name[:2] / name[2:4] / name
    assert storage.path(name).read_bytes() == b"body"


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
