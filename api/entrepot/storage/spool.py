"""A file that is being received."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from entrepot.errors import SettingsError, Unavailable
from entrepot.outages import storage_unavailable

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def unavailable(error: OSError) -> Unavailable:
    """What to tell somebody whose bytes could not be kept."""
    if error.errno in FULL:
        return storage_unavailable("The server's disk is full; nothing was stored. Try again when its operator has made room.")
    return storage_unavailable(
        f"The server cannot write to its storage just now ({os.strerror(error.errno or errno.EIO)}); nothing was stored. Try again."
    )


IN_MEMORY = 1 << 20


class Spool:
    """Bytes on their way in, with their digests. Its methods wait for the disk: call them in a thread, one at a time.

    The file is made when there are more bytes than memory may hold, or when they are synced: what is refused before often never is on disk.
    Whoever asked for a spool discards it in the end, whatever happened.
    """

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._path = folder / uuid4().hex
        self._file: int | None = None
        self._memory = bytearray()
        self._over = False
        self._digests = hashlib.sha256(), hashlib.md5(usedforsecurity=False), hashlib.blake2b(digest_size=32)

    @property
    def sha256(self) -> str:
        """The hex digest of what was written so far; `md5` and `blake2b` (256 bits) likewise."""
        return self._digests[0].hexdigest()

    @property
    def md5(self) -> str:
        """As `sha256`."""
        return self._digests[1].hexdigest()

    @property
    def blake2b(self) -> str:
        """As `sha256`."""
        return self._digests[2].hexdigest()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises Unavailable, and then the spool is discarded."""
        self._check()
        if self._file is None and self.size + len(chunk) <= IN_MEMORY:
            self._memory += chunk
        else:
            self._spill(chunk)
        for digest in self._digests:
            digest.update(chunk)
        self.size += len(chunk)

    def open(self) -> BinaryIO:
        """What was written so far, from the start, to read and to seek in. Whoever opens it closes it."""
        self._check()
        return self._path.open("rb") if self._file is not None else io.BytesIO(self._memory)

    def sync(self) -> None:
        """Return when the bytes would survive a loss of power. Raises Unavailable, and then the spool is discarded."""
        if self._file is None:
            self._spill(b"")
        with self._or_discard():
            os.fsync(self._descriptor())

    def move(self, target: Path) -> None:
        """Give the file, which must be synced, its place. The spool is used up. Raises FileNotFoundError where the target's folder is missing."""
        self._check()
        os.rename(self._path, target)
        self._close()

    def discard(self) -> None:
        """Forget the bytes. May be called again, and after the spool was used up."""
        if not self._over and self._file is not None:
            with suppress(FileNotFoundError):
                self._path.unlink()
        self._close()

    def _spill(self, chunk: bytes) -> None:
        """Write what memory holds, and then the chunk."""
        held, self._memory = self._memory, bytearray()
        with self._or_discard():
            file = self._descriptor()
            for each in (held, chunk):
                rest = memoryview(each)
                while rest:
                    rest = rest[os.write(file, rest) :]

    def _descriptor(self) -> int:
        self._check()
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        return self._file

    def _check(self) -> None:
        if self._over:
            raise ValueError("this spool was put or discarded")

    def _close(self) -> None:
        self._over = True
        self._memory = bytearray()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def _or_discard(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            raise unavailable(error) from error


class SpoolFolder:
    """Where files are that are being received, on this machine. Raises SettingsError where it cannot be made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"Files cannot be received in {folder}: {error.strerror}.") from error

    def new(self) -> Spool:
        """A spool to write into."""
        return Spool(self._folder)

    def sweep(self, older_than: float) -> int:
        """Remove files to which nothing was written for so many seconds. Answers how many."""
        limit, removed = time.time() - older_than, 0
        for file in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < limit:
                    file.unlink()
                    removed += 1
        return removed
