"""What the headers of a tar archive say of its members: the old format, POSIX's and GNU's. What two readers would take differently is refused."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Literal, NamedTuple

from entrepot.errors import InvalidPackage

TarKind = Literal["file", "folder", "symlink", "hardlink"]
"""What a member of a tar archive may be."""

BLOCK = 512
DAMAGED = "The tar archive is damaged or cut short. Build or upload it again."
_kinds: dict[bytes, TarKind] = {b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink", b"5": "folder"}
_max_length_digits = 6
_largest = 1 << 50  # more than an octal number can say
_octal = b"01234567"
_blank_sum = 8 * 0x20


class TarMember(NamedTuple):
    """A member as its headers describe it. `path` and `target` are as they stand there."""

    path: str
    kind: TarKind
    target: str
    """What a link points at; empty for others."""
    size: int


def size_of(header: bytes) -> int:
    """Of what stands behind a header. Raises InvalidPackage for a header that does not have the sum that it says."""
    if not _adds_up(header):
        raise InvalidPackage(DAMAGED)
    return _number(header[124:136])


def member(header: bytes, size: int, said: Mapping[str, str]) -> TarMember:
    """The member of a header, by that and by what the headers before it have `said` of path, linkpath and size."""
    code = header[156:157]
    path = said["path"] if "path" in said else _path(header)
    kind = _kinds.get(code)
    if kind is None:
        raise InvalidPackage(f"The archive holds a special file, {path[:200]!r}: packages hold files, links and folders only.")
    if code == b"\0" and _is_folder(header, path):
        kind = "folder"
    if "size" in said and said["size"] != str(size):
        raise InvalidPackage(f"The archive gives {path[:200]!r} two sizes: where the next file begins depends on the reader.")
    if kind == "file":
        return TarMember(path, kind, "", size)
    if size:
        raise InvalidPackage(f"The archive holds a {kind} with content, {path[:200]!r}: where the next file begins depends on the reader.")
    return TarMember(path, kind, _target(header, path, said) if kind != "folder" else "", 0)


def pax_records(body: bytes) -> list[tuple[str, bytes]]:
    """The records of an extended header; each is `<its length> <key>=<value>` and a line feed."""
    records, at, end = [], 0, len(body)
    while at < end:
        space = body.find(b" ", at, at + _max_length_digits)
        digits = body[at:space] if space > 0 else b""
        after = at + int(digits) if digits.isdigit() else 0
        if not space < after <= end or body[after - 1 : after] != b"\n":
            raise InvalidPackage("The tar archive has a damaged extended header. Build or upload it again.")
        key, _, value = body[space + 1 : after - 1].partition(b"=")
        if key.startswith(b"GNU.sparse"):
            raise InvalidPackage("The archive holds a sparse file, which not every client unpacks. Build it without.")
        records.append((key.decode("latin-1"), value))
        at = after
    return records


def _text(field: bytes) -> str:
    """What a field says, up to the first NUL."""
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _adds_up(header: bytes) -> bool:
    """Whether the bytes, with blanks in place of their sum, have that sum.

    adler32 has it in its low half, one more and modulo a prime, which bytes so small or so few do not reach. `sum` would take longer than all else
    that is done for a member.
    """
    small = header.isascii() or header.count(0) >= BLOCK // 2
    total = (zlib.adler32(header) & 0xFFFF) - 1 if small else sum(header)
    field = header[148:156]
    wanted = total - sum(field) + _blank_sum
    return field == b"%06o\0 " % wanted or _number(field) == wanted


def _is_folder(header: bytes, path: str) -> bool:
    """As the first tar said it: by a slash at the end. Readers do not agree whether the header or an extended one has to have it."""
    is_folder = path.endswith("/")
    if _path(header).endswith("/") != is_folder:
        raise InvalidPackage(f"The archive holds {path[:200]!r}, which some readers take for a folder and some for a file. Build it again.")
    return is_folder


def _target(header: bytes, path: str, said: Mapping[str, str]) -> str:
    target = said["linkpath"] if "linkpath" in said else _text(header[157:257])
    if not target:
        raise InvalidPackage(f"The archive holds a link to nothing, {path[:200]!r}. Build it again.")
    return target


def _path(header: bytes) -> str:
    """The name behind the prefix that POSIX has for long ones. Older formats keep times there, which some readers take for a prefix too."""
    name = _text(header[:100])
    if not header[345]:
        return name
    if header[257:263] != b"ustar\0":
        raise InvalidPackage(f"The archive holds {name!r} in a tar format of old, in which its folder depends on the reader.")
    return f"{_text(header[345:500])}/{name}"


def _number(field: bytes) -> int:
    """An octal number, or GNU's binary one."""
    digits = field.rstrip(b"\0 ")
    return int(digits, 8) if digits and not digits.translate(None, _octal) else _unusual_number(field)


def _unusual_number(field: bytes) -> int:
    if field[0] == 0xFF:
        raise InvalidPackage("The archive holds a file of negative size.")
    if field[0] == 0x80:
        number = int.from_bytes(field[1:], "big")
    else:
        digits = field.split(b"\0", 1)[0].strip(b" ") or b"0"
        number = _largest + 1 if digits.translate(None, _octal) else int(digits, 8)
    if number > _largest:
        raise InvalidPackage(DAMAGED)
    return number
