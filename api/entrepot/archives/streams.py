"""Compressed streams, inflated piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from entrepot.archives.bounds import Patience, Readable
from entrepot.errors import InvalidPackage

_chunk = 64 << 10
_spare_streams = 64
_bytes_a_stream = 64 << 10  # the smallest block of the packers that make a stream of each has 100 kB
_gzip = 16 + zlib.MAX_WBITS


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


class Gunzipped:
    """One gzip stream. Zeros may follow it and nothing else: a second stream, say, is read by some programs only."""

    def __init__(self, source: Readable, patience: Patience | None = None) -> None:
        self._source = source
        self._patience = patience
        self._stream = zlib.decompressobj(wbits=_gzip)

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end.

        Raises InvalidPackage where the stream is damaged, cut short, or not the last thing in the file, and when patience ends, of which blocks of
        nothing take too.
        """
        while not self._stream.eof:
            packed = self._stream.unconsumed_tail or self._source.read(_chunk)
            try:
                data = self._stream.decompress(packed, max(1, size))  # 0 would be without a bound
            except zlib.error as error:
                raise InvalidPackage(f"The gzip stream is damaged ({error}). Build or upload the file again.") from error
            if self._patience:
                self._patience.check()
            if data:
                return data
            if not packed:
                raise InvalidPackage("The gzip stream ends in the middle. The file may have been cut off: build or upload it again.")
        self._check_rest()
        return b""

    def _check_rest(self) -> None:
        rest = self._stream.unused_data or self._source.read(_chunk)
        while rest:
            if rest.strip(b"\0"):
                raise InvalidPackage("Something stands behind the end of the gzip stream. Build the file again.")
            rest = self._source.read(_chunk)
