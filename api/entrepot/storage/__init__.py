"""Where the bytes are: blobs addressed by the sha256 of their content, behind one protocol that a folder and an object store both fill.

Every method is synchronous and may wait for a disk or a network: services call them in threads. Which blobs are wanted is the database's business
(`services/blobs.py`); storage only keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from entrepot.settings import Settings
from entrepot.storage.local import LocalStorage
from entrepot.storage.spool import Spool

__all__ = ["LocalStorage", "Spool", "Storage", "open_storage"]


class Storage(Protocol):
    """A place for blobs."""

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


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name: a folder in the data folder. Raises SettingsError where it cannot be made."""
    return LocalStorage(settings.data / "blobs")
