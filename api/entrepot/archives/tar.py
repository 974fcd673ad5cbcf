"""Tar archives from strangers, read header by header in little time and memory.

`tarfile` takes ten times as long for a member, interprets sparse maps and global headers of any size, and takes a damaged header for the end. What
two readers would read differently is refused here, for the clients' readers are not ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from entrepot.archives import tarheader
from entrepot.archives.bounds import Readable
from entrepot.archives.tarheader import BLOCK, DAMAGED, TarMember, pax_records
from entrepot.errors import InvalidPackage

_chunk = 256 << 10
_end = bytes(BLOCK)
_gnu_names = {b"L": "path", b"K": "linkpath"}
_pax = b"x"
_global_pax = b"g"
_pax_keys = ("path", "linkpath", "size")
_max_extension = 64 << 10
_max_global = 4 << 10
_headers_a_member = 4  # itself, a pax header, and what that says of path and size
_too_many = "The archive holds more files than a package of its size can. Build it again without them."


class TarReader:
    """The members of a tar archive, in their order; `read` gives the content of the one at hand. A header may have up to 64 KiB of extensions.

    Of headers and of what extended ones say there may be four times `most_members`. With `global_headers` the archive may have those that
    `git archive` makes, which say something of the archive as a whole; without, they count as special files, which are refused.
    """

    def __init__(self, source: Readable, *, most_members: int, global_headers: bool = False) -> None:
        self._source = source
        self._held = b""
        self._at = 0
        self._unread = 0
        self._padding = 0
        self._members_left = most_members
        self._headers_left = most_members * _headers_a_member
        self._global_left = _max_global if global_headers else 0
        self._extended = {_pax, *_gnu_names} | ({_global_pax} if global_headers else set())

    def __iter__(self) -> Iterator[TarMember]:
        """Raises InvalidPackage for what is no tar archive, or none that every reader reads alike. Reads up to the end mark."""
        said: dict[str, str] = {}
        while header := self._header():
            code, size = header[156:157], tarheader.size_of(header)
            if code in self._extended:
                self._extend(said, code, size)
                continue
            self._members_left -= 1
            if self._members_left < 0:
                raise InvalidPackage(_too_many)
            member = tarheader.member(header, size, said)
            said = {}
            self._unread, self._padding = member.size, -member.size % BLOCK
            yield member
            self._skip(self._unread + self._padding)
        if said:
            raise InvalidPackage(DAMAGED)

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
        """The next header; empty at the end mark."""
        header = self._take(BLOCK)
        if header == _end:
            return b""
        self._count(1)
        if len(header) < BLOCK:
            raise InvalidPackage(DAMAGED)
        return header

    def _count(self, headers: int) -> None:
        self._headers_left -= headers
        if self._headers_left < 0:
            raise InvalidPackage(_too_many)

    def _extend(self, said: dict[str, str], code: bytes, size: int) -> None:
        """Take what a header says of the member that follows, or of the archive."""
        body = self._extension(size)
        if code in _gnu_names:
            _say(said, _gnu_names[code], body.split(b"\0", 1)[0])
        elif code == _pax:
            for key, value in self._records(body):
                _say(said, key, value)
        else:
            self._check_global(body, said)

    def _extension(self, size: int) -> bytes:
        if size > _max_extension:
            raise InvalidPackage("The archive holds tar headers longer than any path needs.")
        body = self._exactly(size)
        self._skip(-size % BLOCK)
        return body

    def _records(self, body: bytes) -> list[tuple[str, bytes]]:
        """Those that matter here."""
        records = pax_records(body)
        self._count(len(records))
        return [record for record in records if record[0] in _pax_keys]

    def _check_global(self, body: bytes, said: Mapping[str, str]) -> None:
        """It may say nothing that matters: some readers pass such headers over, and each reader has its own idea of how long they hold."""
        self._global_left -= len(body)
        if self._global_left < 0:
            raise InvalidPackage(f"The archive holds global extended headers of more than {_max_global} bytes. Build it again without them.")
        for key, _ in self._records(body):
            raise InvalidPackage(f"The archive gives all members one {key}, which not every reader heeds. Build it again without global headers.")
        if said:
            raise InvalidPackage("The archive holds a global header between a member and what another one says of it. Build it again without.")

    def _take(self, size: int) -> bytes:
        """So many bytes; fewer at the end."""
        data = self._held[self._at : self._at + size]
        if len(data) == size:
            self._at += size
            return data
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
            raise InvalidPackage(DAMAGED)
        return data

    def _skip(self, size: int) -> None:
        self._at += size
        while self._at > len(self._held):
            self._at -= len(self._held)
            self._held = self._source.read(_chunk)
            if not self._held:
                raise InvalidPackage(DAMAGED)


def _say(said: dict[str, str], key: str, value: bytes) -> None:
    """Remember what an extended header says of the member that follows."""
    if key in said:
        raise InvalidPackage(f"The archive gives a member two {key}s: which one counts depends on the reader.")
    if not value:  # nothing, or what the header itself says
        raise InvalidPackage(f"The archive gives a member an empty {key}: what it stands for depends on the reader.")
    said[key] = value.decode("utf-8", "surrogateescape")
