"""One standard zstd frame put together from stretches that were compressed each for itself (RFC 8878).

A large index changes in one place per publish. Compressed in stretches, a change costs one of them. Concatenated frames would be simpler, but
py-rattler reads the first of them alone; a spliced frame reads everybody: zstandard, backports.zstd, the zstd program, py-rattler, conda and mamba.

A block that begins a frame may count on three things: the last offsets were 1, 4 and 8, there is nothing before it to look back to, and no table of
an earlier block is meant. The first is not so in the middle of a frame. Two compressed blocks of eight bytes put the offsets back, and decode to 25
spaces: so stretches begin where the text may have white space.
"""

from __future__ import annotations

import threading

import zstandard


def _compressed(payload: bytes) -> bytes:
    """A compressed block that is not the last."""
    return ((len(payload) << 3) | (2 << 1)).to_bytes(3, "little") + payload


RESET = _compressed(bytes([0x41, 0x20, 1, 0x54, 8, 3, 0, 0x0B])) + _compressed(bytes([0x41, 0x20, 2, 0x54, 4, 2, 0, 0x1C]))
PADDING = b" " * 25
"""What RESET decodes to."""
END = b"\x01\x00\x00"
"""The last block: raw, and empty."""
library = f"zstandard {zstandard.__version__} with zstd {'.'.join(map(str, zstandard.ZSTD_VERSION))}"
"""What compresses: another version may make other bytes."""
_most_in_block = 64 << 10
_local = threading.local()


def header(size: int) -> bytes:
    """What a frame begins with that decodes to so many bytes, looking back over 1 MiB at most: level 1 does over half of that."""
    if size < 1 << 32:
        return b"\x28\xb5\x2f\xfd\x80\x50" + size.to_bytes(4, "little")
    return b"\x28\xb5\x2f\xfd\xc0\x50" + size.to_bytes(8, "little")


def stretch(text: bytes) -> bytes:
    """Blocks that decode to PADDING and the text, wherever they stand in a frame."""
    return RESET + blocks(compressor(1).compress(text))


def raw(text: bytes) -> bytes:
    """Blocks that hold a short text as it is. They leave alone what later blocks count on."""
    parts = (text[at : at + _most_in_block] for at in range(0, len(text), _most_in_block))
    return b"".join((len(part) << 3).to_bytes(3, "little") + part for part in parts)


def blocks(frame: bytes) -> bytes:
    """The blocks of a frame, none of them marked as the last. Raises ValueError for a frame with a checksum or a dictionary."""
    descriptor = frame[4]
    if descriptor & 0b111:
        raise ValueError("The frame has a checksum or a dictionary.")
    single_segment = descriptor >> 5 & 1
    start = 5 + (1 - single_segment) + (single_segment, 2, 4, 8)[descriptor >> 6]
    body, at, last = bytearray(memoryview(frame)[start:]), 0, 0
    while not last:
        block = int.from_bytes(body[at : at + 3], "little")
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        body[at] &= 0xFE
        at += 3 + (1 if kind == 1 else size)
    return bytes(body)


def compressor(level: int) -> zstandard.ZstdCompressor:
    """This thread's: to make one takes longer than a small shard does."""
    found: zstandard.ZstdCompressor | None = getattr(_local, f"level{level}", None)
    if found is None:
        found = zstandard.ZstdCompressor(level)
        setattr(_local, f"level{level}", found)
    return found
