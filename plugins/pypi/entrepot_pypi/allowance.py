"""What a file may cost by its size, whatever archive it is: processor time, and bytes that come out of it."""

from __future__ import annotations

import os
from typing import BinaryIO

from entrepot.plugin import Patience

_least_seconds = 1.5
_most_seconds = 300.0
_bytes_a_second = 7 << 20
"""Usual files take a twentieth of it."""
_small = 64 << 20
_most_inflated = 8 << 30
_ratio = 50


def seconds(size: int) -> float:
    """How many seconds of CPU the inspection of a file of this size may take."""
    return min(_most_seconds, max(_least_seconds, size / _bytes_a_second))


def patience(file: BinaryIO) -> Patience:
    """The same, from now on: one for all that is done to inspect the file."""
    return Patience(seconds(file.seek(0, os.SEEK_END)))


def most_inflated(size: int) -> int:
    """How many bytes may come out of a file of this size."""
    return min(_most_inflated, max(_small, _ratio * size))
