"""Transactions of another host, on PostgreSQL, for tests of who waits for whom."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from entrepot.db.sql import fetch_one

WAITING = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Other:
    """A connection of another host."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def run(self, statement: str, *values: Any) -> Any:
        return await self._connection.fetch(statement, *values)

    async def holds(self, package: str) -> None:
        await self.run("BEGIN")
        await self.run("SELECT id FROM namespace WHERE name = 'alice' FOR SHARE")
        assert await self.run("SELECT id FROM package WHERE name = $1 FOR UPDATE", package)

    async def blocks(self, task: asyncio.Task[Any]) -> None:
        """Until a session waits for what this connection holds; the task must be what waits."""
        await _until(f"{WAITING} AND {self._connection.get_server_pid()} = ANY(pg_blocking_pids(pid))", task)


async def waits(task: asyncio.Task[Any]) -> None:
    """Until a session waits for a lock; the task must be what waits."""
    await _until(WAITING, task)


async def _until(statement: str, task: asyncio.Task[Any]) -> None:
    with anyio.fail_after(20):
        while not task.done() and not ((row := await fetch_one(statement)) and row["n"]):
            await checkpoint()
    assert not task.done(), task.result()
