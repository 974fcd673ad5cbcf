"""How large and how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """What a run takes."""

    sizes: tuple[int, ...]
    """Files that the servers hold, the smallest first."""
    turn: int
    """Uploads of one server, before the next has its turn."""
    rounds: int
    """Turns of what takes turns."""
    seconds: float
    """Of a round of requests."""
    readings: int
    """First answers after an upload."""
    versions: int
    """Files of the one large project."""
    connections: tuple[int, ...] = (1, 32)
    """Of readers."""


FULL = Scale((1_000, 5_000), 50, 5, 0.3, 15, 5_000)
QUICK = Scale((40,), 5, 1, 0.05, 2, 40)
