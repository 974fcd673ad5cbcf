"""Streams that refuse to grow beyond what a package may need. The readers of archives read through these."""

from __future__ import annotations

import bz2
from typing import BinaryIO, Protocol

from entrepot.plugin import InvalidPackage

MiB = 1 << 20
_chunk = 64 << 10
_max_read = 256 << 10
_spare_streams = 64
_bytes_a_stream = 64 << 10  # the smallest block of the packers that make a stream of each has 100 kB


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


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


class Inflated:
    """What a decompressor gives, up to a limit; `complaint` is what its passing means."""

    def __init__(self, source: Readable, limit: int, complaint: str) -> None:
        self._source = source
        self._left = limit
        self._complaint = complaint

    def read(self, size: int) -> bytes:
        """Raises InvalidPackage when the limit is passed."""
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidPackage(self._complaint)
        return data


class Bunzip:
    """bzip2 streams, one behind the other, inflated piece by piece. Too many small ones are refused: they would cost hours and give nothing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = bz2.BZ2Decompressor()
        self._pending = b""
        self._given = 0
        self._streams = 1

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end of the last stream. Raises EOFError where the file is cut short."""
        while True:
            if self._stream.eof and not self._next_stream():
                return b""
            data = self._stream.decompress(self._input(), size)
            self._given += len(data)
            if data:
                return data

    def _next_stream(self) -> bool:
        self._streams += 1
        if self._streams > _spare_streams + self._given // _bytes_a_stream:
            raise InvalidPackage("The archive is made of too many small bzip2 streams. Compress it as one.")
        self._pending = self._stream.unused_data or self._file.read(_chunk)
        self._stream = bz2.BZ2Decompressor()
        return bool(self._pending)

    def _input(self) -> bytes:
        data, self._pending = self._pending, b""
        if data or not self._stream.needs_input:
            return data
        data = self._file.read(_chunk)
        if not data:
            raise EOFError("the bzip2 stream has no end")
        return data
