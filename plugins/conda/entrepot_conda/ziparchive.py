"""The ZIP archive around a .conda: three members, stored, one behind the other, and nothing else (CEP 35).

Some clients read the directory at the end, others the headers in front of the members as they arrive. Whatever the two could disagree on is refused.
"""

from __future__ import annotations

import os
import zipfile
from typing import BinaryIO, cast

from entrepot.plugin import InvalidPackage

from entrepot_conda.bounds import ShortReads

_end_size = 22
_zip64_size = 56 + 20  # the end record, then its locator
_header_size = 30
_saturated = 0xFFFFFFFF
_described = 1 << 3
_descriptors = (12, 16, 20, 24)
_stray = "The ZIP archive holds bytes that belong to no member, or its parts disagree on where they lie. Build or upload the file again."


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, nothing of it judged."""
    return zipfile.ZipFile(cast(BinaryIO, ShortReads(file)))


def check_members(archive: zipfile.ZipFile) -> str:
    """The stem in the members' names. Raises InvalidPackage unless there are exactly the three of CEP 35, stored as they are."""
    members = archive.infolist()
    names = sorted(member.filename for member in members)
    stem = names[0].removeprefix("info-").removesuffix(".tar.zst") if names else ""
    if names != [f"info-{stem}.tar.zst", "metadata.json", f"pkg-{stem}.tar.zst"]:
        held = ", ".join(names[:5])[:300] or "nothing"
        raise InvalidPackage(f"A .conda file holds exactly metadata.json, one info-….tar.zst and one pkg-….tar.zst; this one holds {held}.")
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 or member.compress_size != member.file_size for member in members):
        raise InvalidPackage("The members of a .conda file must be stored, neither compressed nor encrypted (CEP 35).")
    if min(member.header_offset for member in members) != 0:
        raise InvalidPackage("Something stands in front of the ZIP archive: a .conda file holds nothing else.")
    return stem


def check_layout(archive: zipfile.ZipFile, file: BinaryIO) -> None:
    """Raises InvalidPackage unless members, directory and end follow each other without a gap, and say the same."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    following = [member.header_offset for member in members[1:]] + [archive.start_dir]
    for member, after in zip(members, following, strict=True):
        gap = after - _end_of(member, file)
        if gap and not (member.flag_bits & _described and gap in _descriptors):
            raise InvalidPackage(_stray)
    _check_end(archive, file)


def _end_of(member: zipfile.ZipInfo, file: BinaryIO) -> int:
    """Where the member ends by the header in front of it."""
    file.seek(member.header_offset)
    header = file.read(_header_size)
    names, extra = (int.from_bytes(header[start : start + 2], "little") for start in (26, 28))
    size = int.from_bytes(header[18:22], "little")
    file.seek(names, os.SEEK_CUR)
    if size == _saturated:
        size = _long_size(file.read(extra))
    if member.flag_bits & _described and not size:
        size = member.compress_size
    method, flags = header[8:10], int.from_bytes(header[6:8], "little")
    if method != b"\0\0" or flags != member.flag_bits or size != member.compress_size:
        raise InvalidPackage("A member of the ZIP archive says something else of itself than the directory does. Build the file again.")
    return member.header_offset + _header_size + names + extra + size


def _long_size(extra: bytes) -> int:
    """The size in a ZIP64 field, in which the compressed one is the second."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = (int.from_bytes(extra[start : start + 2], "little") for start in (at, at + 2))
        if kind == 1 and length >= 16:
            return int.from_bytes(extra[at + 12 : at + 20], "little")
        at += 4 + length
    return _saturated


def _check_end(archive: zipfile.ZipFile, file: BinaryIO) -> None:
    """Directory, ZIP64 end if there is one, end; no comment."""
    end = file.seek(0, os.SEEK_END) - _end_size
    file.seek(end)
    record = file.read(_end_size)
    count, length, offset = (int.from_bytes(record[start:stop], "little") for start, stop in ((10, 12), (12, 16), (16, 20)))
    file.seek(max(0, end - _zip64_size))
    zip64 = file.read(_zip64_size)
    if zip64[:4] == b"PK\6\6" and zip64[56:60] == b"PK\6\7":
        end -= _zip64_size
        if int.from_bytes(zip64[48:56], "little") != archive.start_dir or int.from_bytes(zip64[64:72], "little") != end:
            raise InvalidPackage(_stray)
    if record[:4] != b"PK\5\6" or record[20:] != b"\0\0" or count not in (3, 0xFFFF):
        raise InvalidPackage(_stray)
    if archive.start_dir + length != end or offset not in (archive.start_dir, _saturated):
        raise InvalidPackage(_stray)
