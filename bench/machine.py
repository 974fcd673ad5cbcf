"""What the machine gives while it is measured: a virtual one may be slowed by its host, and every figure with it."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import load
from bench.server import BUILD, peer

BARE_WHERE_BUDGETS_WERE_SET = 31.3
"""Microseconds of CPU of a bare Starlette route at 32 connections."""


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


def header(seconds: float) -> str:
    """What was measured on: two paragraphs for above the tables."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    bare = bare_route(seconds)
    return "\n".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({model}), {memory} GiB, Linux {platform.release()}, file system of the data: "
            f"{file_system(BUILD)}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, one worker; load average before: "
            f"{os.getloadavg()[0]:.1f}.",
            "",
            f"A bare Starlette route costs {bare:.0f} µs of CPU an answer here, and {BARE_WHERE_BUDGETS_WERE_SET:.0f} µs on the machine that the "
            f"budgets were set on: by that yardstick absolute times are {bare / BARE_WHERE_BUDGETS_WERE_SET:.1f} times too long.",
            "",
        ]
    )


def bare_route(seconds: float) -> float:
    """Microseconds of CPU for an answer of a bare Starlette route, at 32 connections."""
    with peer(b"x" * 1000, {"content-type": "application/octet-stream"}) as process:
        asked = [load.request("GET", "/")]
        load.repeat(process.port, asked, connections=32, seconds=seconds / 2)
        before = process.cpu
        outcome = load.repeat(process.port, asked, connections=32, seconds=seconds).expect(200)
        return (process.cpu - before) / outcome.count * 1e6


def file_system(folder: Path) -> str:
    """The type of the file system that a folder lies on, by the longest mount point above it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    above = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    return max(above, key=lambda mount: len(mount[1]))[2]
