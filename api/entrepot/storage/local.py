"""Blobs in a folder: `sha256/ab/cd/<hex>`, and beside them, so on the same file system, `spool/`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from entrepot.errors import NotFound, SettingsError, Unavailable
from entrepot.storage.names import DIGEST, ROOT, name_of
from entrepot.storage.spool import Spool, SpoolFolder, unavailable

READ_AT_ONCE = 1 << 20


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder would survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _listing(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing where it is none: what others put into the storage folder is none of our business."""
    try:
        return sorted(folder.iterdir())
    except (NotADirectoryError, FileNotFoundError):
        return []


class LocalStorage:
    """Storage in a folder of this machine."""

    threads = None
    link = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder / ROOT
        self.spool_folder = folder / "spool"
        self._durable = {
            1: bytearray(1 << 8),
            2: bytearray(1 << 16),
        }  # which folders ab and ab/cd this process knows to be durable
        try:
            for each in (self._root, self.spool_folder):
                each.mkdir(mode=0o750, parents=True, exist_ok=True)
            for each in (folder, folder.parent):
                sync_folder(each)
        except OSError as error:
            raise SettingsError(f"Files cannot be stored in {folder}: {error.strerror}.") from error
        self._spools = SpoolFolder(self.spool_folder)

    def probe(self) -> None:
        """See Storage."""
        if not (self._root.is_dir() and os.access(self.spool_folder, os.W_OK)):
            raise Unavailable(f"The folder {self._folder}, which holds the files, is not there or cannot be written to.")

    def spool(self) -> Spool:
        """See Storage."""
        return self._spools.new()

    def put(self, spool: Spool) -> None:
        """See Storage."""
        spool.sync()
        sha256 = spool.sha256
        target = self.path(sha256)
        try:
            self._make_folders(sha256)
            try:
                spool.move(target)
            except FileNotFoundError:  # somebody has tidied the folder away since this process made it
                self._make_folders(sha256, again=True)
                spool.move(target)
            sync_folder(target.parent)
        except OSError as error:
            raise unavailable(error) from error
        finally:
            spool.discard()

    def _make_folders(self, sha256: str, again: bool = False) -> None:
        folder = self._root
        for depth, durable in self._durable.items():
            number = int(sha256[: 2 * depth], 16)
            parent, folder = folder, folder / sha256[2 * depth - 2 : 2 * depth]
            if again or not durable[number]:
                folder.mkdir(mode=0o750, exist_ok=True)
                sync_folder(parent)
                durable[number] = 1

    def put_bytes(self, sha256: str, body: bytes) -> None:
        """See Storage."""
        spool = self.spool()
        spool.write(body)
        if spool.sha256 != sha256:
            spool.discard()
            raise ValueError(f"these bytes are not {sha256}")
        self.put(spool)

    def path(self, sha256: str) -> Path:
        """See Storage."""
        return self._folder / name_of(sha256)

    def where(self, sha256: str) -> str:
        """See Storage."""
        return str(self.path(sha256))

    def open(self, sha256: str) -> BinaryIO:
        """See Storage."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise NotFound("The server does not have the bytes of this file.") from error

    def size(self, sha256: str) -> int | None:
        """See Storage."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, sha256: str) -> None:
        """See Storage."""
        self.path(sha256).unlink(missing_ok=True)

    def blobs(self) -> Iterator[tuple[str, int]]:
        """See Storage. A blob that goes while this runs may or may not be among them."""
        for first in _listing(self._root):
            for second in _listing(first):
                for blob in _listing(second):
                    with suppress(FileNotFoundError):
                        if DIGEST.fullmatch(blob.name) and blob.name.startswith(first.name + second.name):
                            yield blob.name, blob.stat().st_size

    def sweep(self, older_than: float) -> int:
        """See Storage."""
        return self._spools.sweep(older_than)

    async def chunks(self, sha256: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """See Storage."""
        file = await asyncio.to_thread(self._opened, sha256, start)
        try:
            while start < stop and (chunk := await asyncio.to_thread(file.read, min(READ_AT_ONCE, stop - start))):
                start += len(chunk)
                yield chunk
        finally:
            file.close()

    def _opened(self, sha256: str, start: int) -> BinaryIO:
        file = self.open(sha256)
        file.seek(start)
        return file
