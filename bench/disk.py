"""What the disk can do: durable writes per second, the yardstick of durable uploads."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryFile


def fdatasync_rate(folder: Path, seconds: float = 1.0) -> float:
    """Appends of 4 KiB per second, each followed by fdatasync, on the disk of a folder."""
    block = b"e" * 4096
    with TemporaryFile(dir=folder, buffering=0) as file:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - began)
