"""What the machine gives while it is measured: a virtual one may be slowed by its host, and every figure with it."""

from __future__ import annotations

import time
from pathlib import Path


def ticks() -> tuple[int, int]:
    """The time that the host took for itself, and all time, of all cores since the start (`/proc/stat`)."""
    values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return values[7], sum(values)


class Machine:
    """Watches from its creation on."""

    def __init__(self) -> None:
        self.began = ticks()

    def report(self) -> str:
        """A sentence for below a table."""
        stolen, total = (now - then for now, then in zip(ticks(), self.began, strict=True))
        speed = f"a million turns of a Python loop take {loop() * 1e3:.0f} ms"
        return f"The machine: {speed}; the host took {stolen / max(total, 1):.0%} of the CPU meanwhile."


def loop(turns: int = 1_000_000) -> float:
    """Seconds of a loop in pure Python, the best of three."""
    seconds = []
    for _ in range(3):
        began, total = time.perf_counter(), 0
        for turn in range(turns):
            total += turn
        seconds.append(time.perf_counter() - began)
    return min(seconds)
