"""Rendered index documents and parts: pieces of bytes with the digest that is their ETag."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import zstandard

from entrepot.representations import Pieces

JOIN_BELOW = 1 << 20
"""A rendering up to this size is kept as one string; a larger one as the pieces it came in, which are mostly the parts' own bytes."""
FEW = 16
"""Pieces that are counted for themselves: to see which of them somebody else holds would take longer."""
COMPRESS_FROM = 512
SENT_AT_ONCE = 256 << 10


@dataclass(slots=True)
class Rendering:
    """Bytes to serve, as of a generation."""

    generation: int
    pieces: tuple[bytes, ...]
    size: int
    etag: str
    """Hex of a hash of the media type and the bytes (of runs of parts, of their hashes): a change that a reader cannot see moves no ETag."""
    media_type: str
    vary: str
    encoding: str = ""
    compressible: bool = False
    cost: int = 0
    """The memory it takes, about, beside the parts that it shares."""
    empty: bool = False
    """It is a document that shows its audience no part, or a view of a part that shows nothing."""
    changed_header: tuple[bytes, bytes] | None = None
    """The header that says when what it shows was last changed."""
    header_outdated: bool = False
    """What it shows was changed since, and the bytes came out the same."""
    prepared: Any = field(default=None, repr=False)
    """What the HTTP layer made of it, once."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes in chunks fit for sending."""
        held: list[bytes] = []
        size = 0
        for piece in self.pieces:
            held.append(piece)
            size += len(piece)
            if size >= SENT_AT_ONCE:
                yield b"".join(held)
                held, size = [], 0
        if held:
            yield b"".join(held)


def rendering(
    pieces: Iterable[bytes | Pieces],
    *,
    generation: int,
    media_type: str,
    vary: str = "",
    compressible: bool = False,
    encoding: str = "",
    shared: Iterable[bytes] = (),
    empty: bool = False,
    changed_header: tuple[bytes, bytes] | None = None,
) -> Rendering:
    """Gather and hash what a type renders; `shared` are bytes that somebody holds in any case. Runs in a thread."""
    digest = hashlib.blake2b(media_type.encode() + b"\0", digest_size=16)
    held: list[bytes] = []
    own: list[bytes] = []
    size = cost = 0
    for piece in pieces:
        if isinstance(piece, Pieces):  # hashed when it was made, and paid for by whoever keeps it
            digest.update(piece.digest)
            held += piece.pieces
            size += piece.size
            cost += 8 * len(piece.pieces)
        else:
            digest.update(piece)
            held.append(piece)
            own.append(piece)
            size += len(piece)
    if size <= JOIN_BELOW:
        held, cost = [b"".join(held)], size
    else:
        cost += _cost(own, shared)
    return Rendering(generation, tuple(held), size, digest.hexdigest(), media_type, vary, encoding, compressible, cost, empty, changed_header)


def _cost(pieces: Sequence[bytes], shared: Iterable[bytes]) -> int:
    known = set(map(id, shared)) if len(pieces) > FEW else set()
    return sum(8 if id(piece) in known else 48 + len(piece) for piece in pieces)


def encoded(plain: Rendering, encoding: str) -> Rendering:
    """A rendering under a Content-Encoding, with an ETag of its own. Runs in a thread."""
    return rendering(
        _gzip(plain) if encoding == "gzip" else _zstd(plain),
        generation=plain.generation,
        media_type=plain.media_type,
        vary=plain.vary,
        compressible=True,
        encoding=encoding,
        empty=plain.empty,
        changed_header=plain.changed_header,
    )


def _gzip(plain: Rendering) -> Iterable[bytes]:
    if plain.size <= JOIN_BELOW:
        return [gzip.compress(b"".join(plain.pieces), compresslevel=6, mtime=0)]
    return _gzip_stream(plain)


def _gzip_stream(plain: Rendering) -> Iterator[bytes]:
    import zlib

    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    for chunk in plain.chunks():
        yield compressor.compress(chunk)
    yield compressor.flush()


def _zstd(plain: Rendering) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=3 if plain.size <= JOIN_BELOW else 1).compressobj(size=plain.size)
    for chunk in plain.chunks():
        yield compressor.compress(chunk)
    yield compressor.flush()
