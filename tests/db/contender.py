"""Reads a number, then writes the next one, many times: `contender.py DATA TIMES`. Says "ready", starts at the next line it reads."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from entrepot.db.connection import database
from entrepot.db.sql import execute, fetch_one, transaction
from entrepot.settings import Settings


async def add_one() -> None:
    async with transaction():
        row = await fetch_one("SELECT size FROM blob WHERE sha256 = $1 {lock}", "counter")
        assert row is not None
        await execute("UPDATE blob SET size = $1 WHERE sha256 = $2", row["size"] + 1, "counter")


async def main(data: str, times: int) -> None:
    async with database(Settings(data=Path(data))):
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(times // 4):
            await asyncio.gather(*(add_one() for _ in range(4)))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
