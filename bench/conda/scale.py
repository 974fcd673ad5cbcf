"""How large and how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """What a run takes."""

    sizes: tuple[int, ...]
    """Records of the channels, the smallest first."""
    readings: int
    """First answers after a publish, of each document."""
    archives: int
    """Real archives that fill the channel in the middle of the uploads."""
    rounds: int
    """Turns of what takes turns."""
    seconds: float
    """Of a round of requests."""
    crowd: int
    """Publishers, and as many readers."""
    minute: float
    """Seconds of the crowd."""
    indexed: int
    """The largest channel that conda-index is given: it takes minutes at 100,000."""


FULL = Scale((1_000, 10_000, 100_000), 25, 5_000, 15, 0.2, 50, 60.0, 10_000)
QUICK = Scale((100, 1_000), 3, 100, 3, 0.1, 5, 2.0, 100)
