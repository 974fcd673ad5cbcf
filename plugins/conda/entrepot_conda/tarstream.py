"""Tar archives from strangers, read header by header in little time and memory.

`tarfile` takes ten times as long for a member, interprets sparse maps and global headers of any size, and takes a damaged header for the end. What
two readers would read differently is refused here, for the clients' readers are not ours.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

from entrepot.plugin import InvalidPackage

from entrepot_conda.bounds import Readable

Kind = Literal["file", "folder", "symlink", "hardlink"]

_block = 512
_chunk = 256 << 10
_end = bytes(_block)
_kinds: dict[bytes, Kind] = {b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink", b"5": "folder"}
_gnu_names = {b"L": "path", b"K": "linkpath"}
_pax = b"x"
_pax_keys = ("path", "linkpath", "size")
_max_extension = 64 << 10
_max_length_digits = 6
_largest = 1 << 50
_headers_a_member = 4  # itself, a pax header, and what that says of path and size
_too_many = "The archive holds more files than a package of its size can. Build it again without them."
_damaged = "The tar archive is damaged or cut short. Build or upload it again."


class TarMember(NamedTuple):
    """A member as its headers describe it. `path` and `target` are as they stand there."""

    path: str
    kind: Kind
    target: str
    """What a link points at."""
    size: int


class TarReader:
    """The members of a tar archive, in their order; `read` gives the content of the one at hand. A header may have up to 64 KiB of extensions."""

    def __init__(self, source: Readable, *, most_members: int) -> None:
        self._source = source
        self._held = b""
        self._at = 0
        self._unread = 0
        self._padding = 0
        self._members_left = most_members
        self._headers_left = most_members * _headers_a_member

    def __iter__(self) -> Iterator[TarMember]:
        """Raises InvalidPackage for what is no tar archive, or none that every reader reads alike. Reads up to the end mark."""
        said: dict[str, str] = {}
        while header := self._header():
            code, size = header[156:157], _number(header[124:136])
            if code == _pax or code in _gnu_names:
                self._extend(said, code, self._extension(size))
                continue
            self._members_left -= 1
            if self._members_left < 0:
                raise InvalidPackage(_too_many)
            member = _member(header, code, size, said)
            said = {}
            self._unread, self._padding = member.size, -member.size % _block
            yield member
            self._skip(self._unread + self._padding)
        if said:
            raise InvalidPackage(_damaged)

    def read(self) -> bytes:
        """What is unread of the member at hand."""
        body = self._exactly(self._unread)
        self._unread = 0
        return body

    def pieces(self) -> Iterator[bytes]:
        """The same, piece by piece."""
        while self._unread:
            piece = self._exactly(min(self._unread, _chunk))
            self._unread -= len(piece)
            yield piece

    def finish(self) -> None:
        """Read what follows the end mark, so that the decompressor sees its own end. Raises InvalidPackage for more than padding."""
        piece = self._held[self._at :] or self._source.read(_chunk)
        while piece:
            if piece.strip(b"\0"):
                raise InvalidPackage("The tar archive goes on behind its end mark. Build it again.")
            piece = self._source.read(_chunk)

    def _header(self) -> bytes:
        """The next header, checked against its sum; empty at the end mark."""
        header = self._take(_block)
        if header == _end:
            return b""
        self._count()
        if len(header) < _block or not _adds_up(header):
            raise InvalidPackage(_damaged)
        return header

    def _count(self) -> None:
        self._headers_left -= 1
        if self._headers_left < 0:
            raise InvalidPackage(_too_many)

    def _extension(self, size: int) -> bytes:
        if size > _max_extension:
            raise InvalidPackage("The archive holds tar headers longer than any path needs.")
        body = self._exactly(size)
        self._skip(-size % _block)
        return body

    def _extend(self, said: dict[str, str], code: bytes, body: bytes) -> None:
        """Take what a header says of the member that follows."""
        for key, value in self._pax_records(body) if code == _pax else [(_gnu_names[code], body.split(b"\0", 1)[0])]:
            if key in said:
                raise InvalidPackage(f"The archive gives a member two {key}s: which one counts depends on the reader.")
            if not value:  # nothing, or what the header itself says
                raise InvalidPackage(f"The archive gives a member an empty {key}: what it stands for depends on the reader.")
            said[key] = value.decode("utf-8", "surrogateescape")

    def _pax_records(self, body: bytes) -> Iterator[tuple[str, bytes]]:
        """The records that matter here; each is `<its length> <key>=<value>` and a line feed."""
        at = 0
        while at < len(body):
            self._count()
            space = body.find(b" ", at, at + _max_length_digits)
            digits = body[at:space] if space > 0 else b""
            after = at + int(digits) if digits.isdigit() else 0
            if not space < after <= len(body) or body[after - 1 : after] != b"\n":
                raise InvalidPackage(_damaged)
            key, _, value = body[space + 1 : after - 1].partition(b"=")
            if key.startswith(b"GNU.sparse"):
                raise InvalidPackage("The archive holds a sparse file, which not every client unpacks. Build it without.")
            if key.decode("latin-1") in _pax_keys:
                yield key.decode("latin-1"), value
            at = after

    def _take(self, size: int) -> bytes:
        """So many bytes; fewer at the end."""
        while len(self._held) - self._at < size:
            piece = self._source.read(_chunk)
            if not piece:
                break
            self._held, self._at = self._held[self._at :] + piece, 0
        data = self._held[self._at : self._at + size]
        self._at += len(data)
        return data

    def _exactly(self, size: int) -> bytes:
        data = self._take(size)
        if len(data) < size:
            raise InvalidPackage(_damaged)
        return data

    def _skip(self, size: int) -> None:
        self._at += size
        while self._at > len(self._held):
            self._at -= len(self._held)
            self._held = self._source.read(_chunk)
            if not self._held:
                raise InvalidPackage(_damaged)


def _adds_up(header: bytes) -> bool:
    """Whether the bytes, with blanks in place of their sum, have that sum.

    adler32 has it in its low half, one more and modulo a prime, which bytes so small or so few do not reach: `sum` would take longer than all else
    that is done for a member.
    """
    small = header.isascii() or header.count(0) >= _block // 2
    total = (zlib.adler32(header) & 0xFFFF) - 1 if small else sum(header)
    return total - sum(header[148:156]) + 8 * 0x20 == _number(header[148:156])


def _member(header: bytes, code: bytes, size: int, said: dict[str, str]) -> TarMember:
    path = said["path"] if "path" in said else _path(header)
    target = said["linkpath"] if "linkpath" in said else _text(header[157:257])
    kind = _kinds.get(code)
    if kind is None:
        raise InvalidPackage(f"The archive holds a special file, {path[:200]!r}: packages hold files, links and folders only.")
    if code == b"\0" and _is_folder(header, path):
        kind = "folder"
    if kind in ("symlink", "hardlink") and not target:
        raise InvalidPackage(f"The archive holds a link to nothing, {path[:200]!r}. Build it again.")
    if kind != "file" and size:
        raise InvalidPackage(f"The archive holds a {kind} with content, {path[:200]!r}: where the next file begins depends on the reader.")
    if said.get("size", str(size)) != str(size):
        raise InvalidPackage(f"The archive gives {path[:200]!r} two sizes: where the next file begins depends on the reader.")
    return TarMember(path, kind, target, size)


def _is_folder(header: bytes, path: str) -> bool:
    """As the first tar said it: by a slash at the end. Readers do not agree whether the header or an extended one has to have it."""
    is_folder = path.endswith("/")
    if _path(header).endswith("/") != is_folder:
        raise InvalidPackage(f"The archive holds {path[:200]!r}, which some readers take for a folder and some for a file. Build it again.")
    return is_folder


def _path(header: bytes) -> str:
    """The name behind the prefix that POSIX has for long ones. Older formats keep times there, which some readers take for a prefix too."""
    prefix, name = _text(header[345:500]), _text(header[:100])
    if prefix and header[257:263] != b"ustar\0":
        raise InvalidPackage(f"The archive holds {name!r} in a tar format of old, in which its folder depends on the reader.")
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """An octal number, or GNU's binary one."""
    if field[0] == 0x80:
        number = int.from_bytes(field[1:], "big")
    elif field[0] == 0xFF:
        raise InvalidPackage("The archive holds a file of negative size.")
    else:
        digits = field.split(b"\0", 1)[0].strip() or b"0"
        if digits.translate(None, b"01234567"):
            raise InvalidPackage(_damaged)
        number = int(digits, 8)
    if number > _largest:
        raise InvalidPackage(_damaged)
    return number
