"""The CPU that other processes use."""

from __future__ import annotations

import time


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used so far, in nanosecond steps (`/proc/<pid>/stat` counts in 10 ms); none if it has ended.

    Linux makes a process's clock id from its pid.
    """
    try:
        return time.clock_gettime_ns((~pid << 3) | 2) / 1e9
    except OSError:
        return 0.0
