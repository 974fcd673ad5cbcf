"""The index documents of a channel, joined from the records' bytes: shards, their index, and repodata.json (CEP 16 and 36)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgpack
import orjson
import zstandard
from entrepot.plugin import Parts

from entrepot_conda.record import split_entries

shards_folder = "shards"
_piece = 512 << 10
_length = 4
_comma = b","


def shard(entries: Sequence[bytes]) -> bytes:
    """All records of one name. The same records make the same bytes."""
    packages, packages_conda = split_entries(entries)
    packer = msgpack.Packer()
    body = b"".join(
        (
            packer.pack_map_header(3),
            packer.pack("packages"),
            packer.pack_map_header(len(packages)),
            *packages,
            packer.pack("packages.conda"),
            packer.pack_map_header(len(packages_conda)),
            *packages_conda,
            packer.pack("removed"),
            packer.pack([]),
        )
    )
    return zstandard.ZstdCompressor(level=3).compress(body)


def shard_index(subdir: str, parts: Parts) -> bytes:
    """`repodata_shards.msgpack.zst`. It carries no date: one would tell when a package that the reader may not see has changed.

    Most of it are digests, which nothing compresses: level 3 takes twice as long as 1 and leaves a twentieth less.
    """
    info = {"base_url": "", "shards_base_url": f"./{shards_folder}/", "subdir": subdir}
    shards = dict(zip(parts.names(), parts.digests(), strict=True))
    return zstandard.ZstdCompressor(level=1).compress(msgpack.packb({"info": info, "shards": shards, "version": 1}))


def fragment(entries: Sequence[bytes]) -> bytes:
    """What repodata.json holds of one name: the pairs for `packages`, then those for `packages.conda`, with the length of the first in front.

    The length takes four bytes. Each pair has its comma in front, so that halves join as they are. Where there are none for `packages`, as in most
    channels today, a fragment is the other half alone, and begins with a comma as no length does: so it is a piece of the document as it is held,
    and never copied.
    """
    packages, packages_conda = (b"".join(b"," + pair for pair in pairs) for pairs in split_entries(entries))
    return len(packages).to_bytes(_length, "big") + packages + packages_conda if packages else packages_conda


def repodata(subdir: str, parts: Parts) -> Iterator[bytes]:
    """`repodata.json`. Goes through the parts twice, since one map follows the other, and keeps none."""
    yield b'{"info":{"subdir":' + orjson.dumps(subdir) + b'},"packages":{'
    yield from _joined(body[_length : _length + _first_length(body)] for body in parts.bodies() if body[:1] != _comma)
    yield b'},"packages.conda":{'
    yield from _joined(body if body[:1] == _comma else body[_length + _first_length(body) :] for body in parts.bodies())
    yield b'},"removed":[],"repodata_version":1}'


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one zstd frame: py-rattler reads no further than the first. Level 1 makes repodata smaller than 3 does, in half the time."""
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    for piece in _gathered(pieces):
        data = compressor.compress(piece)
        if data:
            yield data
    yield compressor.flush()


def _first_length(body: bytes) -> int:
    return int.from_bytes(body[:_length], "big")


def _joined(halves: Iterable[bytes]) -> Iterator[bytes]:
    """Without the first comma, and without empty halves."""
    filled = (half for half in halves if half)
    first = next(filled, None)
    if first is not None:
        yield first[1:]
        yield from filled


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about 512 KiB: a compressor that is called for each record spends its time on being called."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _piece:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
