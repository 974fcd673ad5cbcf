"""Gzipped tar archives from strangers: read once from front to end, within bounds, with nothing kept but what is asked for."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, ClassVar, Self

from entrepot.plugin import InvalidPackage

_few_members = 8_000
_most_members = 100_000
_bytes_per_member = 1050
_most_inflated = 8 << 30
_small = 64 << 20
_ratio = 50
_largest_header = 8 << 10
_large_header = 1 << 10
_most_large_headers = 1000
_pax_squares_per_member = 1 << 13
_most_global_pax = 4 << 10
_piece = 1 << 16
_headers = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_plain = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE)


def is_gzip(file: BinaryIO) -> bool:
    """Whether the file begins as gzip does."""
    file.seek(0)
    return file.read(3) == b"\x1f\x8b\x08"


def inflated_cap(size: int) -> int:
    """How much a file of this size may inflate to."""
    return min(_most_inflated, max(_small, _ratio * size))


def member_cap(size: int) -> int:
    """How many members a file of this size may have, each with one extended header: `tarfile` takes a tenth of a millisecond for each pair, and
    hostile ones compress to nothing."""
    return min(_most_members, max(_few_members, size // _bytes_per_member))


def members(file: BinaryIO, cap: int, most: int = _few_members) -> Iterator[tuple[tarfile.TarFile, Member]]:
    """The archive's members with the archive, in order: files, folders and symbolic links. A member's body can be read until the next is asked for.

    Reads to the very end, so that damage anywhere shows. Raises InvalidPackage.
    """
    file.seek(0)
    source = _Inflated(file, cap)
    try:
        counting = type("CountingMember", (Member,), {"headers_left": 2 * most, "pax_squares_left": most * _pax_squares_per_member})
        with tarfile.open(fileobj=source, mode="r|", tarinfo=counting, bufsize=_piece) as archive:
            yield from _walk(archive, most)
        while source.read(_piece):
            pass
    except InvalidPackage:
        raise
    except Exception as error:  # zlib, gzip, struct, unicode and tarfile errors, and what hostile headers provoke besides
        raise InvalidPackage(
            f"The tar archive cannot be read to its end ({error}). It may have been cut off: build or upload the file again."
        ) from error


def _walk(archive: tarfile.TarFile, most: int) -> Iterator[tuple[tarfile.TarFile, Member]]:
    count = 0
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # else every header of the archive stays in memory
        count += 1
        if count > most:
            raise InvalidPackage(f"The tar archive has more than {most} members.")
        if member.issparse() or member.type not in _plain:
            raise InvalidPackage(
                f"{member.name[:200]!r} in the archive is a hard link, a device or a sparse file: an sdist holds files, folders and symbolic links."
            )
        yield archive, member  # type: ignore[misc]  # archive was told to make these


class Member(tarfile.TarInfo):
    """A member whose header is judged before the archive acts on it. Each archive has a subclass of its own, to count in."""

    headers_left: ClassVar[int] = 2 * _few_members
    pax_squares_left: ClassVar[int] = _few_members * _pax_squares_per_member
    large_headers: ClassVar[int] = 0
    global_pax: ClassVar[int] = 0

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """A header from a block.

        `TarFile` takes a damaged header for the end of the archive, reads a long name of any length into memory, and (in Pythons before 3.11.10 and
        3.12.6) searches an extended header in quadratic time. Each member gets a copy of all that the global extended headers before it said.
        """
        try:
            member = super().frombuf(buf, encoding, errors)
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise InvalidPackage(f"The tar archive has a damaged header ({error}). Build or upload the file again.") from error
        cls.headers_left -= 1
        if cls.headers_left < 0:
            raise InvalidPackage("The tar archive has more extended headers than members. Build the file again without them.")
        if member.type in _headers and member.size > _large_header:
            cls.large_headers += 1
            if member.size > _largest_header or cls.large_headers > _most_large_headers:
                raise InvalidPackage(f"The tar archive has a header of {member.size} bytes, or too many large ones; {_largest_header} are allowed.")
        cls._count_pax(member)
        return member

    @classmethod
    def _count_pax(cls, member: tarfile.TarInfo) -> None:
        """Refuse extended headers that say more than paths and times do."""
        if member.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE):
            cls.pax_squares_left -= member.size**2
            cls.global_pax += member.size if member.type == tarfile.XGLTYPE else 0
            if cls.pax_squares_left < 0 or cls.global_pax > _most_global_pax:
                raise InvalidPackage("The tar archive has too many or too long extended headers. Build the file again without them.")


class _Inflated(io.RawIOBase):
    """What a gzip file inflates to, up to a cap. One gzip member: what stands behind it would be read by some tools only."""

    def __init__(self, file: BinaryIO, cap: int) -> None:
        self._file = file
        self._zlib = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._left = cap
        self._cap = cap

    def read(self, size: int = -1) -> bytes:
        """The next bytes, a bounded number of them whatever is asked."""
        wanted = min(size, _piece) if size > 0 else _piece
        while not self._zlib.eof:
            source = self._zlib.unconsumed_tail or self._file.read(_piece)
            body = self._zlib.decompress(source, wanted)
            self._left -= len(body)
            if self._left < 0:
                raise InvalidPackage(f"The archive inflates to more than {self._cap} bytes: that is taken for an attack.")
            if body:
                return body
            if not source:
                raise InvalidPackage("The gzip stream ends in the middle. The file may have been cut off: build or upload it again.")
        if (self._zlib.unused_data + self._file.read(_piece)).strip(b"\0"):
            raise InvalidPackage("Something stands behind the end of the gzip stream. Build the file again.")
        return b""
