"""Zip archives from strangers: opened within bounds, judged before a member is inflated.

`zipfile` reads the whole directory into memory, believes what it says, and takes archives that two readers would read differently. So the end record
is checked first, and the directory as soon as it is read.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

from entrepot.plugin import InvalidPackage

_end_size = 22
_zip64_size = 20 + 56  # locator and end record
_longest_comment = 65535
_largest_directory = 16 << 20
_most_members = 65535
_most_inflated = 8 << 30
_small = 64 << 20
_ratio = 50
_unprintable = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_longest_name = 1024


def is_zip(file: BinaryIO) -> bool:
    """Whether the file begins as a zip with members does."""
    file.seek(0)
    return file.read(4) == b"PK\x03\x04"


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, its directory read and judged. Raises InvalidPackage."""
    if not is_zip(file):
        raise InvalidPackage("The file is not a zip archive: it does not begin with a member.")
    size = file.seek(0, 2)
    _check_end(file, size)
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile raises much more than BadZipFile on hostile directories
        raise InvalidPackage(f"The zip archive's directory cannot be read ({error}). Build the file again.") from error
    _check_members(archive.infolist(), archive.start_dir, size)
    if is_tar(file):
        raise InvalidPackage("The file is both a zip and a tar archive: what is in it depends on the reader.")
    return archive


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """A member's bytes, at most `limit` of them, whatever the directory says of its size. Raises InvalidPackage."""
    message = f"{name!r} is larger than {limit} bytes when it is inflated."
    if archive.getinfo(name).file_size > limit:
        raise InvalidPackage(message)
    try:
        with archive.open(name) as member:
            body = member.read(limit + 1)
    except Exception as error:  # zlib, struct and zipfile errors
        raise InvalidPackage(f"{name!r} in the archive is damaged ({error}). Build the file again.") from error
    if len(body) > limit:
        raise InvalidPackage(message)
    return body


def has_end(file: BinaryIO) -> bool:
    """Whether the file ends as a zip does, whatever it begins with."""
    return _end(file, file.seek(0, 2)) is not None


def is_tar(file: BinaryIO) -> bool:
    """Whether the file begins as an uncompressed tar does."""
    file.seek(0)
    try:
        tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def check_name(name: str) -> None:
    """Refuse a member's name that could leave the folder it is unpacked into, or that no two systems read alike."""
    parts = name.removesuffix("/").split("/")
    if len(name) > _longest_name or _unprintable.search(name) or "\\" in name:
        raise InvalidPackage(
            f"The archive holds {name[:200]!r}: names are UTF-8 without control characters and backslashes, {_longest_name} characters at most."
        )
    if not name or name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise InvalidPackage(f"The archive holds {name[:200]!r}, which points outside of the folder that it is unpacked into.")


def _end(file: BinaryIO, size: int) -> bytes | None:
    """The end record with its comment, if it is the last thing in the file."""
    tail_size = min(size, _end_size + _longest_comment)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    start = tail.rfind(b"PK\x05\x06")
    record = tail[start:] if start >= 0 else b""
    if len(record) < _end_size or len(record) != _end_size + int.from_bytes(record[20:22], "little"):
        return None
    return record


def _check_end(file: BinaryIO, size: int) -> None:
    """The directory lies right before the end record, and is small enough to be read."""
    record = _end(file, size)
    if record is None:
        raise InvalidPackage("The zip archive has no end, or something behind its end. It may have been cut off: build or upload the file again.")
    members = int.from_bytes(record[10:12], "little")
    length, offset = int.from_bytes(record[12:16], "little"), int.from_bytes(record[16:20], "little")
    end = size - len(record)
    file.seek(max(0, end - _zip64_size))
    zip64 = file.read(_zip64_size)
    if zip64[:4] == b"PK\x06\x06" and zip64[56:60] == b"PK\x06\x07":  # also where the small fields would do: Python adds them from 2 GiB on
        small = (members, length, offset)
        members, length, offset = (int.from_bytes(zip64[start : start + 8], "little") for start in (32, 40, 48))
        saturated = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        if any(one not in (full, most) for one, full, most in zip(small, (members, length, offset), saturated, strict=True)):
            raise InvalidPackage("The zip archive's end and its ZIP64 end disagree: which one counts depends on the reader. Build the file again.")
        end -= _zip64_size
        if int.from_bytes(zip64[64:72], "little") != end:
            raise InvalidPackage("The zip archive has a ZIP64 end elsewhere too: which one counts depends on the reader. Build the file again.")
    elif 0xFFFFFFFF in (length, offset) or members == 0xFFFF:
        raise InvalidPackage("The zip archive says it is ZIP64, and its ZIP64 records are not where they belong. Build the file again.")
    if members > _most_members or length > _largest_directory:
        raise InvalidPackage(
            f"The zip archive has too many members: {_most_members} are allowed, with {_largest_directory >> 20} MiB for the list of them."
        )
    if offset + length != end:
        raise InvalidPackage("The zip archive has something before its first member or behind its directory. Build the file again.")
    file.seek(offset)
    if file.read(length).count(b"PK\x01\x02") != members:
        raise InvalidPackage("The zip archive's end and its directory disagree on the number of members. Build the file again.")


def _check_members(members: Sequence[zipfile.ZipInfo], directory: int, size: int) -> None:
    """No name twice, no way out, nothing hidden in overlaps, nothing that only some readers inflate, no bomb."""
    if not members:
        raise InvalidPackage("The zip archive is empty.")
    seen: set[str] = set()
    for member in members:
        check_name(member.orig_filename)
        if member.filename in seen:
            raise InvalidPackage(f"The archive holds {member.filename!r} twice: which one counts depends on the reader.")
        seen.add(member.filename)
        if member.flag_bits & 0x1:
            raise InvalidPackage(f"{member.filename!r} in the archive is encrypted.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InvalidPackage(
                f"{member.filename!r} is compressed in a way that installers do not read: only stored and deflated members are allowed."
            )
    _check_layout(sorted(members, key=lambda member: member.header_offset), directory)
    inflated = sum(member.file_size for member in members)
    if inflated > _most_inflated or (inflated > _small and inflated > _ratio * size):
        raise InvalidPackage(f"The archive inflates to {inflated} bytes, {inflated // size} times its size: that is taken for an attack.")


def _check_layout(members: Sequence[zipfile.ZipInfo], directory: int) -> None:
    """Each member ends before the next one begins, the first at the file's first byte."""
    end = 0
    for index, member in enumerate(members):
        if member.header_offset < end or (index == 0 and member.header_offset != 0):
            raise InvalidPackage(f"{member.filename!r} in the archive overlaps another member, or bytes stand before the first one.")
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
    if end > directory:
        raise InvalidPackage(f"{members[-1].filename!r} in the archive overlaps its directory.")
