"""Writes deflate streams that take a quarter of a second for each megabyte and give nothing."""

from __future__ import annotations

import struct

_bits = 213
_block = 0x568DB6DB6DB6DB6DB6DB6DB6DB6DB6DB6DBA0C00006000003C10C
"""A block whose codes are as long as makes a reader build large tables; all it says with them is that it ends. The lowest bit comes first."""
_blocks = sum(_block << _bits * count for count in range(8)).to_bytes(_bits, "little")
_end = b"\1\0\0\xff\xff"


def costly_deflate(body: bytes, size: int) -> bytes:
    """A stream of this body, short, and of about so many bytes."""
    stored = b"\0" + struct.pack("<HH", len(body), len(body) ^ 0xFFFF) + body
    return stored + _blocks * (size // len(_blocks)) + _end
