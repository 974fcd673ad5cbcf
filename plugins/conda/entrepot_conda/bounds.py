"""Streams and tar members that refuse to grow beyond what a package may need. The readers of archives read through these."""

from __future__ import annotations

import bz2
import tarfile
from typing import BinaryIO, Protocol, Self

from entrepot.plugin import InvalidPackage

MiB = 1 << 20
_chunk = 64 << 10
_max_read = 256 << 10
_max_header = 8 << 10


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
    """bzip2 streams, one behind the other, inflated piece by piece. An empty one is refused: a file of them would cost hours and give nothing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = bz2.BZ2Decompressor()
        self._pending = b""
        self._given = 0

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
        if not self._given:
            raise InvalidPackage("The archive holds an empty bzip2 stream.")
        self._pending = self._stream.unused_data or self._file.read(_chunk)
        self._stream = bz2.BZ2Decompressor()
        self._given = 0
        return bool(self._pending)

    def _input(self) -> bytes:
        data, self._pending = self._pending, b""
        if data or not self._stream.needs_input:
            return data
        data = self._file.read(_chunk)
        if not data:
            raise EOFError("the bzip2 stream has no end")
        return data


class Member(tarfile.TarInfo):
    """A tar member of a kind that packages hold. Use the class that `member_class` makes, one for each archive.

    `tarfile` reads the long name or pax header of a member whole, of any size; and older ones search it for hdrcharset in a time that grows with the
    square of its size (CVE-2024-6232).
    """

    squares_left = 1 << 29
    _kinds = frozenset((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE))
    _headers = frozenset((tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE))

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Raises InvalidPackage for a device, a pipe, a sparse file, a negative size, and headers too long to be a path's."""
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0:
            raise InvalidPackage("The archive holds a file of negative size.")
        if member.type in cls._headers:
            cls.squares_left -= member.size**2
            if member.size > _max_header or cls.squares_left < 0:
                raise InvalidPackage("The archive holds tar headers longer than any path needs.")
        elif member.type not in cls._kinds:
            raise InvalidPackage(f"The archive holds a special file, {member.name[:200]!r}: packages hold files, links and folders only.")
        return member


def member_class() -> type[Member]:
    """A class of members with a budget of its own."""
    return type("Member", (Member,), {})
