"""Gzipped tar archives from strangers, read within what a file of their size may cost."""

from __future__ import annotations

import os
from typing import BinaryIO

from entrepot.plugin import Gunzipped, Inflated, Patience, TarReader

from entrepot_pypi import allowance

_few_members = 30_000
_most_members = 100_000
_bytes_a_member = 300
_peek = 1 << 20
_peek_seconds = 0.25


def is_gzip(file: BinaryIO) -> bool:
    """Whether the file begins as gzip does."""
    file.seek(0)
    return file.read(3) == b"\x1f\x8b\x08"


def member_cap(size: int) -> int:
    """How many members a file of this size may have. Hostile ones compress to nothing, and each takes a hundredth of a millisecond."""
    return min(_most_members, max(_few_members, size // _bytes_a_member))


def opened(file: BinaryIO, patience: Patience) -> TarReader:
    """Its members, of which there are as many and as large as a file of its size may have."""
    size = file.seek(0, os.SEEK_END)
    return _reader(file, size, allowance.most_inflated(size), patience)


def peeked(file: BinaryIO) -> TarReader:
    """Its first members, within a megabyte and little time."""
    return _reader(file, file.seek(0, os.SEEK_END), _peek, Patience(_peek_seconds))


def _reader(file: BinaryIO, size: int, limit: int, patience: Patience) -> TarReader:
    file.seek(0)
    complaint = f"The archive inflates to more than {limit} bytes: that is taken for an attack."
    inflated = Inflated(Gunzipped(file, patience), limit, complaint)
    return TarReader(inflated, most_members=member_cap(size), global_headers=True)
