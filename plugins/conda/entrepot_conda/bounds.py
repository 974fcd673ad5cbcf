"""Streams that refuse to grow beyond what a package may need. The readers of archives read through these."""

from __future__ import annotations

import time
from collections.abc import Callable
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


class Patience:
    """The CPU time that this thread may spend from now on. A few bytes of an archive can ask for minutes of it."""

    def __init__(self, seconds: float) -> None:
        self._until = time.thread_time() + seconds

    def ends(self) -> bool:
        """Whether it is spent."""
        return time.thread_time() > self._until


class Inflated:
    """What a decompressor gives, up to a limit; `complaint` is what its passing means."""

    def __init__(self, source: Readable, limit: int, complaint: str, patience: Patience | None = None) -> None:
        self._source = source
        self._left = limit
        self._complaint = complaint
        self._patience = patience

    def read(self, size: int) -> bytes:
        """Raises InvalidPackage when the limit is passed, or patience ends."""
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidPackage(self._complaint)
        if self._patience and self._patience.ends():
            raise InvalidPackage("The archive takes more time to unpack than a package of its size should. Compress it with a usual program.")
        return data


class Decompressor(Protocol):
    """Of one stream, as `bz2` and `compression.zstd` have it."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether more comes only of more data."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most so many bytes of what comes of this and of earlier data."""


class Unpacked:
    """Compressed streams, one behind the other, inflated piece by piece. Too many small ones are refused: they would cost hours and give nothing."""

    def __init__(self, source: Readable, stream: Callable[[], Decompressor]) -> None:
        self._source = source
        self._new = stream
        self._stream = stream()
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
            raise InvalidPackage("The archive is made of too many small compressed streams. Compress it as one.")
        self._pending = self._stream.unused_data or self._source.read(_chunk)
        self._stream = self._new()
        return bool(self._pending)

    def _input(self) -> bytes:
        data, self._pending = self._pending, b""
        if data or not self._stream.needs_input:
            return data
        data = self._source.read(_chunk)
        if not data:
            raise EOFError("a compressed stream has no end")
        return data
