"""Gzipped tar archives from strangers: how much one may hold, and how long it may take."""

from __future__ import annotations

import os
from typing import BinaryIO

from entrepot.plugin import Gunzipped, Inflated, Patience, TarReader

_few_members = 30_000
_most_members = 100_000
_bytes_per_member = 300
_most_inflated = 8 << 30
_small = 64 << 20
_ratio = 50
_least_patience = 1.5
_patient_bytes = 7 << 20
"""For each of which a file may take a second of CPU time. Usual ones take a twentieth of it."""


def is_gzip(file: BinaryIO) -> bool:
    """Whether the file begins as gzip does."""
    file.seek(0)
    return file.read(3) == b"\x1f\x8b\x08"


def inflated_cap(size: int) -> int:
    """How much a file of this size may inflate to."""
    return min(_most_inflated, max(_small, _ratio * size))


def member_cap(size: int) -> int:
    """How many members a file of this size may have. Hostile ones compress to nothing, and each takes a hundredth of a millisecond."""
    return min(_most_members, max(_few_members, size // _bytes_per_member))


def patience(size: int) -> float:
    """How many seconds of CPU the members of a file of this size may take."""
    return max(_least_patience, size / _patient_bytes)


def opened(file: BinaryIO, cap: int | None = None) -> TarReader:
    """Its members, of which there are as many, as large and as slow to read as a file of its size may have; or inflated to `cap` bytes at most."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    limit = cap or inflated_cap(size)
    complaint = f"The archive inflates to more than {limit} bytes: that is taken for an attack."
    inflated = Inflated(Gunzipped(file, Patience(patience(size))), limit, complaint)
    return TarReader(inflated, most_members=member_cap(size), global_headers=True)
