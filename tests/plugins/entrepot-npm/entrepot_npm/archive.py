"""Reading an npm archive: a gzipped tar in which everything lies below `package/`. Nothing in it is trusted."""

from __future__ import annotations

import base64
import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson
from entrepot.plugin import InvalidPackage

MANIFEST = "package/package.json"
MANIFEST_LIMIT = 1 << 20
INFLATED_LIMIT = 1 << 30
MEMBER_LIMIT = 100_000
_READ_LIMIT = 4 << 20  # tarfile reads a header's size at once, and that is what the archive says it is


class Inflated(gzip.GzipFile):
    """The tar inside, that stops where a bomb would go off."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        super().__init__(fileobj=file)
        self.limit = limit

    def read(self, size: int | None = -1) -> bytes:
        """Only bounded reads."""
        if size is None or not 0 <= size <= _READ_LIMIT:
            raise InvalidPackage(f"The archive has a header that is larger than {_READ_LIMIT >> 20} MiB.")
        return super().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seeking forward inflates everything on the way."""
        self.check(offset)
        return super().seek(offset, whence)

    def check(self, offset: int) -> None:
        """Raises InvalidPackage for what lies beyond the limit."""
        if offset > self.limit:
            raise InvalidPackage(f"The archive inflates to more than {self.limit >> 20} MiB.")


def looks_like(file: BinaryIO) -> bool:
    """Whether the first member of a gzipped tar lies below `package/`. Reads 64 KiB at most."""
    try:
        head = zlib.decompressobj(wbits=31).decompress(file.read(65536), 512)
    except zlib.error:
        return False
    return len(head) == 512 and head[257:262] == b"ustar" and head.startswith((b"package/", b"./package/"))


def read_manifest(file: BinaryIO, limit: int = INFLATED_LIMIT) -> Mapping[str, Any]:
    """The archive's package.json. Reads the archive to its end, so that a truncated one is noticed. Raises InvalidPackage."""
    found: bytes | None = None
    try:
        inflated = Inflated(file, limit)
        with tarfile.open(fileobj=inflated, mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= MEMBER_LIMIT:
                    raise InvalidPackage(f"The archive has more than {MEMBER_LIMIT} members.")
                if member.name.removeprefix("./") == MANIFEST:
                    if found is not None:
                        raise InvalidPackage(f"The archive has two members {MANIFEST}.")
                    found = _content(archive, member)
        while inflated.read(1 << 16):
            inflated.check(inflated.tell())
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise InvalidPackage(f"The archive cannot be read as a gzipped tar: {error}.") from error
    if found is None:
        raise InvalidPackage(f"The archive has no {MANIFEST}; make it with `npm pack`.")
    return _parsed(found)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isreg() or member.size > MANIFEST_LIMIT:
        raise InvalidPackage(f"{MANIFEST} must be a plain file of at most {MANIFEST_LIMIT >> 20} MiB.")
    content = archive.extractfile(member)
    return content.read() if content else b""


def _parsed(text: bytes) -> Mapping[str, Any]:
    try:
        manifest = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InvalidPackage(f"{MANIFEST} is no JSON: {error}.") from error
    if not isinstance(manifest, dict):
        raise InvalidPackage(f"{MANIFEST} must be a JSON object.")
    return manifest


def digests(file: BinaryIO) -> tuple[str, str]:
    """The archive's `shasum` (sha1, hex) and `integrity` (sha512, as browsers write it)."""
    file.seek(0)
    sha1, sha512 = hashlib.sha1(usedforsecurity=False), hashlib.sha512()
    for chunk in _chunks(file):
        sha1.update(chunk)
        sha512.update(chunk)
    return sha1.hexdigest(), "sha512-" + base64.b64encode(sha512.digest()).decode()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk
