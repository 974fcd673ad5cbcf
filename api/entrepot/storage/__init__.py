"""Where the bytes are: blobs addressed by the sha256 of their content, behind one protocol that a folder and an object store both fill.

A method that is not a coroutine may wait for a disk or a network: services call it in a thread, one of `threads` where that is set. Which blobs are
wanted is the database's business (`services/blobs.py`); storage only keeps them. Whatever fails in an object store is Unavailable.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import BinaryIO, Protocol

from entrepot.errors import SettingsError
from entrepot.settings import Settings
from entrepot.storage.local import LocalStorage
from entrepot.storage.spool import Spool

__all__ = ["LocalStorage", "Spool", "Storage", "open_storage"]


class Link(Protocol):
    """Makes a URL that answers a GET of a blob for a minute, as an attachment of this name and media type. Raises Unavailable."""

    async def __call__(self, sha256: str, *, basename: str, media_type: str, cache_control: str) -> str: ...


class Storage(Protocol):
    """A place for blobs."""

    @property
    def threads(self) -> Executor | None:
        """Where calls wait for this storage; None: in any thread."""

    @property
    def link(self) -> Link | None:
        """Makes URLs at which the storage itself answers; None: nobody else can reach it."""

    @property
    def spool_folder(self) -> Path:
        """Where spooled files lie, on this machine."""

    def probe(self) -> None:
        """Look whether the storage is there. Raises Unavailable, and SettingsError where waiting will not help."""

    def spool(self) -> Spool:
        """A new file to receive bytes into, near to where they will be put."""

    def put(self, spool: Spool) -> None:
        """Keep the spool's bytes under their sha256, durably when this returns, and use the spool up. Bytes that lie there already are replaced.

        Raises Unavailable, and then neither a blob nor the spool's file is left.
        """

    def put_bytes(self, sha256: str, body: bytes) -> None:
        """Keep a small blob, as `put` does. Raises Unavailable."""

    def path(self, sha256: str) -> Path | None:
        """Where a blob lies on this machine if it is there (this does not look); None: not in a file at all."""

    def where(self, sha256: str) -> str:
        """Where a blob lies, for an operator to find it."""

    def open(self, sha256: str) -> BinaryIO:
        """A blob's bytes, from the start; seekable. Raises NotFound."""

    def size(self, sha256: str) -> int | None:
        """A blob's size in bytes; None: there is no such blob."""

    def delete(self, sha256: str) -> None:
        """Remove a blob; that it is not there (any more) is no error."""

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Every blob's sha256 and size, ordered by sha256."""

    def sweep(self, older_than: float) -> int:
        """Remove what uploads that died have left: spooled files to which nothing was written for so many seconds. Answers how many."""

    def chunks(self, sha256: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """A blob's bytes from start to stop, piece by piece; fewer where it is shorter. Raises NotFound, Unavailable, OSError."""


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name: a folder in the data folder, or an object store, to which nothing is said yet.

    Raises SettingsError where it cannot be.
    """
    if not settings.storage_url:
        return LocalStorage(settings.data / "blobs")
    if settings.accel_redirect:
        raise SettingsError("The setting accel_redirect is for files in the data folder; with storage_url, set downloads to redirect instead.")
    from entrepot.storage.connect import connect  # 20 ms of import that a folder does not need
    from entrepot.storage.objects import ObjectStorage

    storage = ObjectStorage(connect(settings.storage_url, settings.storage_options), settings.data / "spool")
    if settings.downloads == "redirect":
        storage.check_links()
    return storage
