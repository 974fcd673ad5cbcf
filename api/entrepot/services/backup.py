"""A copy of a site that keeps everything in its data folder, made while servers run: the database as of one moment, then the bytes that it names.

In this order, because bytes are only added and never changed: whatever the copied database names was there when it was copied, and only garbage
collection takes bytes away. The copy is a data folder itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.errors import NotFound, Unavailable, ValidationError
from entrepot.storage.local import LocalStorage, sync_folder

if TYPE_CHECKING:
    from entrepot.storage import Storage

AT_ONCE = 1 << 20


@dataclass
class Backup:
    """What a backup has copied."""

    blobs: int = 0
    copied: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


def back_up(*, database: Path, storage: Storage | None, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> Backup:
    """Copy the database and the blobs into a folder; what the folder has already is not copied again. Without a storage, the database alone.

    A problem is a blob that is not there or is damaged: the copied database then takes no older one's place. Raises ValidationError, Unavailable.
    """
    if folder.resolve() == database.parent.resolve():
        raise ValidationError("The backup must go to another folder than the one that it is made of.")
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    fresh = folder / "entrepot.sqlite3.new"
    try:
        wanted = copy_database(database, fresh)
        done = Backup(blobs=len(wanted))
        if storage is not None:
            target = LocalStorage(folder / "blobs")
            for number, (sha256, size) in enumerate(wanted):
                progress(number, len(wanted))
                if target.size(sha256) != size:
                    copy_blob(storage, target, sha256, done)
        if not done.problems:
            for leftover in ("-wal", "-shm"):
                (folder / f"entrepot.sqlite3{leftover}").unlink(missing_ok=True)  # of a server that ran on the older copy
            fresh.replace(folder / "entrepot.sqlite3")
            sync_folder(folder)
    finally:
        for file in (fresh, *(fresh.with_name(fresh.name + end) for end in ("-wal", "-shm", "-journal"))):
            file.unlink(missing_ok=True)
    return done


def copy_database(database: Path, target: Path) -> list[tuple[str, int]]:
    """Copy a SQLite database as of one moment, durably; servers go on. Answers the digests and sizes of the blobs that it names."""
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as source, closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous=FULL")
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it; servers set theirs when they open it
            return copy.execute("SELECT sha256, size FROM blob WHERE state = 'stored' ORDER BY sha256").fetchall()
    except sqlite3.Error as error:
        raise Unavailable(f"The database {database} could not be copied: {error}.") from error


def copy_blob(storage: Storage, target: LocalStorage, sha256: str, done: Backup) -> None:
    """Copy a blob's bytes, durably, if they are what their digest says."""
    spool = target.spool()
    try:
        with storage.open(sha256) as file:
            while chunk := file.read(AT_ONCE):
                spool.write(chunk)
        if spool.sha256 != sha256:
            done.problems.append(f"The blob {sha256} is damaged: its bytes have another digest.")
            return
        done.copied += 1
        done.size += spool.size
        target.put(spool)
    except NotFound:
        done.problems.append(f"The blob {sha256} is not there: garbage collection ran meanwhile, or it is lost.")
    finally:
        spool.discard()
