"""The end of a zip archive: where its directory lies. Nothing may stand between the directory and the end, or behind it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from entrepot.plugin import InvalidPackage

_end = struct.Struct("<4sHHHHLLH")
_zip64_end = struct.Struct("<4sQHHLLQQQQ")
_locator = struct.Struct("<4sLQL")
_zip64_size = _zip64_end.size + _locator.size
_longest_comment = 65535
_largest_directory = 8 << 20
_few_members = 20_000
_most_members = 50_000
_bytes_a_member = 400
"""A member of a wheel takes 40 microseconds. Wheels of icons have one in 600 bytes."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory of an archive lies, and what it should hold."""

    members: int
    offset: int
    length: int


def has_end(file: BinaryIO) -> bool:
    """Whether the file ends as a zip does, whatever it begins with."""
    return _record(file, file.seek(0, 2)) is not None


def find_directory(file: BinaryIO) -> Directory:
    """What the end records say; the directory is small enough to be read, and ends where they begin. Raises InvalidPackage."""
    size = file.seek(0, 2)
    record = _record(file, size)
    if record is None:
        raise InvalidPackage("The zip archive has no end, or something behind its end. It may have been cut off: build or upload the file again.")
    _, disk, first_disk, here, members, length, offset, _ = _end.unpack_from(record)
    if disk or first_disk or here != members:
        raise InvalidPackage("The zip archive says that it goes on in other files. Build the file again.")
    end = size - len(record)
    directory = Directory(members, offset, length)
    if (zip64 := _zip64_records(file, end)) is not None:
        end -= _zip64_size
        directory = _zip64_directory(zip64, directory, end)
    elif 0xFFFFFFFF in (length, offset) or members == 0xFFFF:
        raise InvalidPackage("The zip archive says it is ZIP64, and its ZIP64 records are not where they belong. Build the file again.")
    _check(directory, end)
    return directory


def _record(file: BinaryIO, size: int) -> bytes | None:
    """The end record with its comment, if it is the last thing in the file."""
    tail_size = min(size, _end.size + _longest_comment)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    start = tail.rfind(b"PK\x05\x06")
    record = tail[start:] if start >= 0 else b""
    if len(record) < _end.size or len(record) != _end.size + int.from_bytes(record[20:22], "little"):
        return None
    return record


def _zip64_records(file: BinaryIO, end: int) -> bytes | None:
    """The ZIP64 end and its locator, if a locator stands before the end. Readers follow it wherever it points, so its end must stand right there."""
    file.seek(max(0, end - _zip64_size))
    records = file.read(min(end, _zip64_size))
    if records[-_locator.size :][:4] != b"PK\x06\x07":
        return None
    if len(records) != _zip64_size or records[:4] != b"PK\x06\x06":
        raise InvalidPackage("The zip archive has a ZIP64 locator and no ZIP64 end before it: which end counts depends on the reader.")
    return records


def _zip64_directory(records: bytes, small: Directory, start: int) -> Directory:
    """What the ZIP64 end says. It may stand beside small fields that would do: Python adds it from 2 GiB on."""
    _, length_of_end, _, _, disk, first_disk, here, members, length, offset = _zip64_end.unpack_from(records)
    _, locator_disk, at, disks = _locator.unpack_from(records, _zip64_end.size)
    if length_of_end != _zip64_end.size - 12 or disk or first_disk or locator_disk or disks > 1 or here != members:
        raise InvalidPackage("The zip archive's ZIP64 end says more than installers read. Build the file again.")
    given = ((small.members, members, 0xFFFF), (small.length, length, 0xFFFFFFFF), (small.offset, offset, 0xFFFFFFFF))
    if any(one not in (full, most) for one, full, most in given):
        raise InvalidPackage("The zip archive's end and its ZIP64 end disagree: which one counts depends on the reader. Build the file again.")
    if at != start:
        raise InvalidPackage("The zip archive has a ZIP64 end elsewhere too: which one counts depends on the reader. Build the file again.")
    return Directory(members, offset, length)


def _check(directory: Directory, end: int) -> None:
    most = min(_most_members, max(_few_members, end // _bytes_a_member))
    if directory.members > most or directory.length > _largest_directory:
        raise InvalidPackage(f"The zip archive has too many members: {most} are allowed, with {_largest_directory >> 20} MiB for the list of them.")
    if not directory.members:
        raise InvalidPackage("The zip archive is empty.")
    if directory.offset + directory.length != end:
        raise InvalidPackage("The zip archive has something before its first member or behind its directory. Build the file again.")
