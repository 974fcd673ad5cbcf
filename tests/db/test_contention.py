"""Several processes read, then write what they read plus one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
from entrepot.db.sql import execute, fetch_one
from entrepot.settings import Settings

Spawn = Callable[..., Any]


async def test_read_then_write_transactions_of_several_processes_lose_nothing(db: Settings, spawn: Spawn) -> None:
    await execute("INSERT INTO blob (sha256, size, state, touched_at) VALUES ('counter', 1, 'stored', 0)")
    processes = [spawn("contender.py", db.data, 200) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [await anyio.to_thread.run_sync(process.wait) for process in processes] == [0, 0, 0]
    row = await fetch_one("SELECT size FROM blob WHERE sha256 = $1", "counter")
    assert row is not None
    assert row["size"] == 1 + 3 * 200
