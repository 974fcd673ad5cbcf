"""The two headers of a member of a zip archive, which must say the same: some readers go by the one, some by the other."""

from __future__ import annotations

import binascii
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from entrepot.plugin import InvalidPackage

from entrepot_pypi.membername import check_name, check_spelling

STORED, DEFLATED = 0, 8
LOCAL_SIZE = 30
_central = struct.Struct("<4sBBHHHHHLLLHHHHHLL")
_variable_sizes = struct.Struct("<HHH")
_local = struct.Struct("<4sHHHHHLLLHH")
_utf8, _level, _descriptor, _encrypted = 0x800, 0x6, 0x8, 0x1
_saturated = 0xFFFFFFFF
_zip64, _unicode_path = 0x0001, 0x7075
_end_records = re.compile(rb"PK(\x05\x06|\x06\x06|\x06\x07)")


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member as the directory has it."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    offset: int
    """Of its local header."""

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder, and so has no bytes."""
        return self.name.endswith("/")


def listed_names(directory: bytes) -> Iterator[bytes]:
    """The names that a directory lists, nothing judged, up to where it cannot be read on. In a tenth of the time that `read_directory` takes."""
    at = 0
    while directory[at : at + 4] == b"PK\x01\x02" and at + _central.size <= len(directory):
        name_size, extra_size, comment_size = _variable_sizes.unpack_from(directory, at + 28)
        start = at + _central.size
        yield directory[start : start + name_size]
        at = start + name_size + extra_size + comment_size


def read_directory(directory: bytes) -> Iterator[ZipMember]:
    """The members that a directory lists, which is these records and nothing else. Raises InvalidPackage."""
    at = 0
    while at < len(directory):
        if directory[at : at + 4] != b"PK\x01\x02" or at + _central.size > len(directory):
            raise InvalidPackage("The zip archive's directory holds something that is no member. Build the file again.")
        fields = _central.unpack_from(directory, at)
        name_size, extra_size, comment_size = fields[11:14]
        start = at + _central.size
        at = start + name_size + extra_size + comment_size
        raw_name, extra = directory[start : start + name_size], directory[start + name_size : start + name_size + extra_size]
        if at > len(directory) or comment_size:
            raise InvalidPackage("A member of the zip archive has a comment, or its directory is cut off. Build the file again without comments.")
        yield _member(fields, raw_name, extra)


def _member(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> ZipMember:
    flags, method, crc, disk, attributes = fields[4], fields[5], fields[8], fields[14], fields[16]
    name = _decoded(raw_name, flags)
    check_name(name)
    check_spelling(name)
    extras = _extras(extra, raw_name, name)
    size, compressed_size, offset = _sizes((fields[10], fields[9], fields[17]), extras.get(_zip64), name)
    _check_kind(name, flags, method, attributes)
    if disk or (name.endswith("/") and size) or (method == STORED and size != compressed_size):
        raise InvalidPackage(f"{name!r} in the archive has a size that cannot be. Build the file again.")
    return ZipMember(name, raw_name, flags, method, crc, compressed_size, size, offset)


def _decoded(raw_name: bytes, flags: int) -> str:
    """Without the flag for UTF-8, zip means an old code page, and many readers UTF-8 all the same."""
    try:
        return raw_name.decode("utf-8" if flags & _utf8 else "ascii")
    except UnicodeDecodeError as error:
        raise InvalidPackage(
            f"The archive holds {raw_name[:200]!r}: names are UTF-8, and marked as such where they are not ASCII. Build the file again."
        ) from error


def _check_kind(name: str, flags: int, method: int, attributes: int) -> None:
    if flags & _encrypted:
        raise InvalidPackage(f"{name!r} in the archive is encrypted.")
    if flags & _descriptor:
        raise InvalidPackage(
            f"{name!r} in the archive has a data descriptor behind it instead of its sizes in front: where it ends depends on the reader. "
            "Build the file with a tool that does not stream."
        )
    if flags & ~(_utf8 | _level):
        raise InvalidPackage(f"{name!r} in the archive uses features of zip that installers do not read (flags {flags:#x}).")
    if method not in (STORED, DEFLATED):
        raise InvalidPackage(f"{name!r} is compressed in a way that installers do not read: only stored and deflated members are allowed.")
    kind = stat.S_IFMT(attributes >> 16)  # whatever system it says it is from: several count as Unix, to each reader others
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidPackage(f"{name!r} in the archive is a link or a device: only plain files and folders are allowed.")


def _extras(extra: bytes, raw_name: bytes, name: str) -> dict[int, bytes]:
    """The extra fields by their ids. Those that replace what the header says may come once."""
    found: dict[int, bytes] = {}
    at = 0
    if extra and _end_records.search(extra):
        raise InvalidPackage(f"{name!r} in the archive has an extra field that looks like the archive's end: which one counts depends on the reader.")
    while at < len(extra):
        kind, length = struct.unpack_from("<HH", extra, at) if at + 4 <= len(extra) else (0, len(extra))
        body = extra[at + 4 : at + 4 + length]
        if len(body) != length:
            raise InvalidPackage(f"{name!r} in the archive has extra fields that cannot be read. Build the file again.")
        if kind in found and kind in (_zip64, _unicode_path):
            raise InvalidPackage(f"{name!r} in the archive has two ZIP64 or two Unicode path fields: which one counts depends on the reader.")
        found[kind] = body
        at += 4 + length
    other = found.get(_unicode_path)
    if other is not None and other != b"\x01" + struct.pack("<L", binascii.crc32(raw_name)) + name.encode():
        raise InvalidPackage(f"{name!r} in the archive has another name in a Unicode path field: which one counts depends on the reader.")
    return found


def _sizes(small: tuple[int, ...], zip64: bytes | None, name: str) -> tuple[int, ...]:
    """The fields, those that are saturated taken from the ZIP64 field; a ZIP64 field that nothing needs must say the same."""
    values = struct.unpack(f"<{len(zip64) // 8}Q", zip64) if zip64 is not None and len(zip64) % 8 == 0 else None
    wanted = small.count(_saturated)
    if wanted:
        if values is None or len(values) != wanted:
            raise InvalidPackage(f"{name!r} in the archive says that it is ZIP64, and has no ZIP64 field that fits. Build the file again.")
        taken = iter(values)
        return tuple(next(taken) if one == _saturated else one for one in small)
    if zip64 is not None and (values is None or len(values) > len(small) or values != small[: len(values)]):
        raise InvalidPackage(f"{name!r} in the archive has other sizes in its ZIP64 field: which ones count depends on the reader.")
    return small


def local_end(member: ZipMember, header: bytes, variable: bytes) -> int:
    """How far behind the local header's beginning the member's bytes begin. `variable` are the name and the extra fields. Raises InvalidPackage."""
    _, _, flags, method, _, _, crc, compressed_size, size, name_size, _ = _local.unpack(header)
    if variable[:name_size] != member.raw_name:
        raise InvalidPackage(f"{member.name!r} in the archive's directory has another name in the archive: which one counts depends on the reader.")
    extras = _extras(variable[name_size:], member.raw_name, member.name)
    said = (flags, method, crc, *_sizes((size, compressed_size), extras.get(_zip64), member.name))
    if said != (member.flags, member.method, member.crc, member.size, member.compressed_size):
        raise InvalidPackage(
            f"{member.name!r} has another size, checksum or kind in the directory than before its bytes: which one counts depends on the reader."
        )
    return LOCAL_SIZE + len(variable)


def variable_size(header: bytes) -> int:
    """How long a local header's name and extra fields are."""
    return int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
