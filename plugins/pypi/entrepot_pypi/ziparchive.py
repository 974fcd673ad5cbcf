"""Zip archives from strangers: walked record by record from the first byte to the last, judged before a member is inflated.

`zipfile` believes the directory, streaming readers believe the headers between the members, and archives can be made that either kind reads
differently. Here both must say the same, and every byte belong to one record.
"""

from __future__ import annotations

import binascii
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from entrepot.plugin import InvalidPackage, Patience

from entrepot_pypi import allowance
from entrepot_pypi.membername import check_folders
from entrepot_pypi.zipend import find_directory
from entrepot_pypi.zipmember import LOCAL_SIZE, STORED, ZipMember, local_end, read_directory, variable_size

_piece = 1 << 16
_inflated_piece = 1 << 20


class ZipArchive:
    """An archive that every reader reads alike. Raises InvalidPackage if it is none."""

    def __init__(self, file: BinaryIO, patience: Patience) -> None:
        if not is_zip(file):
            raise InvalidPackage("The file is not a zip archive: it does not begin with a member.")
        self._file = file
        size = file.seek(0, 2)
        self._patience = patience
        self._kept: dict[str, bytes] = {}
        directory = find_directory(file)
        file.seek(directory.offset)
        self.members: Mapping[str, ZipMember] = _unique(read_directory(file.read(directory.length)), directory.members, self._patience)
        """By their names."""
        inflated = sum(member.size for member in self.members.values())
        if inflated > allowance.most_inflated(size):
            raise InvalidPackage(f"The archive inflates to {inflated} bytes, {inflated // size} times its size: that is taken for an attack.")
        self._starts = _walk(file, self.members.values(), directory.offset, self._patience)
        if is_tar(file):
            raise InvalidPackage("The file is both a zip and a tar archive: what is in it depends on the reader.")

    def read(self, name: str, limit: int) -> bytes:
        """A member's bytes, of which there may be `limit`, compressed or not. They are kept, and inflated once. Raises InvalidPackage."""
        member = self.members[name]
        if max(member.size, member.compressed_size) > limit:
            state = "when it is inflated" if member.size > limit else "in the archive"
            raise InvalidPackage(f"{name!r} is larger than {limit} bytes {state}.")
        if name not in self._kept:
            self._kept[name] = b"".join(self.pieces(member))
        return self._kept[name]

    def check(self, member: ZipMember) -> None:
        """Read a member of which nothing is wanted but that it is whole. Raises InvalidPackage."""
        for _ in self.pieces(member):
            pass

    def pieces(self, member: ZipMember) -> Iterator[bytes]:
        """A member's bytes, of the size and the checksum that its headers say. Raises InvalidPackage, at the latest behind the last piece."""
        self._patience.check()
        if member.name in self._kept:
            yield self._kept[member.name]
            return
        self._file.seek(self._starts[member.name])
        crc = size = 0
        for piece in self._stored(member) if member.method == STORED else self._inflated(member):
            crc = binascii.crc32(piece, crc)
            size += len(piece)
            if size > member.size:
                break
            yield piece
        if size != member.size or crc != member.crc:
            raise _damaged(member, "its size or its checksum is not what its headers say")

    def _stored(self, member: ZipMember) -> Iterator[bytes]:
        left = member.compressed_size
        while left:
            piece = self._file.read(min(left, _inflated_piece))
            if not piece:
                raise _damaged(member, "the file ends in it")
            self._patience.check()
            left -= len(piece)
            yield piece

    def _inflated(self, member: ZipMember) -> Iterator[bytes]:
        inflating = zlib.decompressobj(-zlib.MAX_WBITS)
        left, wanted = member.compressed_size, min(_inflated_piece, member.size + 1)
        try:
            while not inflating.eof:
                source = inflating.unconsumed_tail
                if not source:
                    source = self._file.read(min(left, _piece))
                    left -= len(source)
                piece = inflating.decompress(source, wanted)
                self._patience.check()  # blocks of nothing take time too
                if piece:
                    yield piece
                elif not source:
                    raise _damaged(member, "its compressed bytes end in the middle")
        except zlib.error as error:
            raise _damaged(member, str(error)) from error
        if left or inflating.unused_data:
            raise _damaged(member, "something stands behind its compressed bytes")


def is_zip(file: BinaryIO) -> bool:
    """Whether the file begins as a zip with members does."""
    file.seek(0)
    return file.read(4) == b"PK\x03\x04"


def is_tar(file: BinaryIO) -> bool:
    """Whether the file begins as an uncompressed tar does."""
    file.seek(0)
    try:
        tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _unique(members: Iterable[ZipMember], count: int, patience: Patience) -> Mapping[str, ZipMember]:
    """The members by name, no name twice, and none a file and a folder at once."""
    found: dict[str, ZipMember] = {}
    listed = 0
    for member in members:
        patience.check()
        listed += 1
        if found.setdefault(member.name, member) is not member:
            raise InvalidPackage(f"The archive holds {member.name!r} twice: which one counts depends on the reader.")
    if listed != count:
        raise InvalidPackage("The zip archive's end and its directory disagree on the number of members. Build the file again.")
    check_folders(found)
    return found


def _walk(file: BinaryIO, members: Iterable[ZipMember], end: int, patience: Patience) -> Mapping[str, int]:
    """Where each member's bytes begin. The members follow each other without a gap, from the first byte to the directory."""
    starts: dict[str, int] = {}
    at = 0
    for member in sorted(members, key=lambda member: member.offset):
        if member.offset != at:
            how = "overlaps another member" if member.offset < at else "does not follow what stands before it"
            raise InvalidPackage(f"{member.name!r} in the archive {how}: bytes that only some readers see are not allowed. Build the file again.")
        file.seek(at)
        patience.check()
        header = file.read(LOCAL_SIZE)
        if header[:4] != b"PK\x03\x04" or len(header) != LOCAL_SIZE:
            raise InvalidPackage(f"{member.name!r} in the archive's directory is not where the directory says. Build the file again.")
        starts[member.name] = at + local_end(member, header, file.read(variable_size(header)))
        at = starts[member.name] + member.compressed_size
    if at != end:
        raise InvalidPackage("The zip archive's last member overlaps its directory, or something stands between them. Build the file again.")
    return starts


def _damaged(member: ZipMember, why: str) -> InvalidPackage:
    return InvalidPackage(f"{member.name!r} in the archive is damaged ({why}). Build the file again.")
