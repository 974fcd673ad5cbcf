"""A file that refuses to be read in large pieces."""

from __future__ import annotations

from typing import BinaryIO

from entrepot.plugin import InvalidPackage

MiB = 1 << 20
_max_read = 256 << 10


class ShortReads:
    """A file for `zipfile`, which reads the directory of a ZIP at once, however large the file says that it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def seekable(self) -> bool:
        """`zipfile` asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most 256 KiB. Raises InvalidPackage for a wish beyond that, if the file has the bytes to fulfil it."""
        data = self._file.read(_max_read + 1 if size < 0 else min(size, _max_read + 1))
        if len(data) > _max_read:
            raise InvalidPackage("The ZIP archive has an oversized directory: a .conda file holds three members.")
        return data
