"""Writes zip archives field by field: what `zipfile` never writes, and what some readers take all the same."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO


@dataclass(kw_only=True)
class RawMember:
    """A member with whatever stands in its two headers. None: what is right."""

    name: bytes
    body: bytes = b""
    method: int = 0
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    compressed: bytes | None = None
    """What stands behind the local header."""
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    attributes: int = 0o100644 << 16
    system: int = 3
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    """Fields of the local header that differ: `name`, `flags`, `method`, `crc`, `size`, `compressed_size`."""
    central: Mapping[str, int] = field(default_factory=dict)
    """Fields of the directory that differ: `size`, `compressed_size`, `offset`, `disk`."""
    behind: bytes = b""
    """What stands behind its bytes, before the next member."""
    listed: bool = True
    """False: only who reads from the front finds it."""

    def _fields(self) -> dict[str, int | bytes]:
        compressed = self._compressed()
        return {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.body) if self.crc is None else self.crc,
            "size": len(self.body) if self.size is None else self.size,
            "compressed_size": len(compressed),
        }

    def _compressed(self) -> bytes:
        if self.compressed is not None:
            return self.compressed
        return deflated(self.body) if self.method == zipfile.ZIP_DEFLATED else self.body

    def before_directory(self) -> bytes:
        """The local header and what follows it."""
        said = {**self._fields(), **self.local}
        name = said["name"]
        assert isinstance(name, bytes)
        numbers = (said["flags"], said["method"], 0, 33, said["crc"], said["compressed_size"], said["size"], len(name), len(self.local_extra))
        return struct.pack("<4sHHHHHLLLHH", b"PK\x03\x04", 20, *numbers) + name + self.local_extra + self._compressed() + self.behind

    def in_directory(self, offset: int) -> bytes:
        """The record in the directory."""
        said = {**self._fields(), "offset": offset, "disk": 0, **self.central}
        sizes = (said["crc"], said["compressed_size"], said["size"], len(self.name), len(self.extra), len(self.comment))
        head = struct.pack("<4sBBHHHHHLLLHHH", b"PK\x01\x02", 20, self.system, 20, said["flags"], said["method"], 0, 33, *sizes)
        tail = struct.pack("<HHLL", said["disk"], 0, self.attributes, said["offset"])
        return head + tail + self.name + self.extra + self.comment


def deflated(body: bytes) -> bytes:
    """As zip has it, without a header."""
    compressor = zlib.compressobj(9, wbits=-15)
    return compressor.compress(body) + compressor.flush()


def extra_field(kind: int, body: bytes) -> bytes:
    """An extra field."""
    return struct.pack("<HH", kind, len(body)) + body


def raw_members(archive: bytes) -> list[RawMember]:
    """The members of a good archive, to be spoiled."""
    with zipfile.ZipFile(BytesIO(archive)) as source:
        return [RawMember(name=info.filename.encode(), body=source.read(info)) for info in source.infolist()]


def raw_zip(
    members: Sequence[RawMember], *, before_directory: bytes = b"", count: int | None = None, disk: int = 0, here: int | None = None
) -> bytes:
    """An archive of these members, with whatever its end says."""
    body, directory = b"", b""
    for member in members:
        if member.listed:
            directory += member.in_directory(len(body))
        body += member.before_directory()
    body += before_directory
    listed = sum(member.listed for member in members) if count is None else count
    numbers = (disk, 0, listed if here is None else here, listed, len(directory), len(body), 0)
    return body + directory + struct.pack("<4sHHHHLLH", b"PK\x05\x06", *numbers)
