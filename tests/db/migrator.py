"""Migrates a database: `migrator.py DATA`. Says "ready", starts at the next line it reads; its last line says what it applied."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.db.sql import fetch_one
from entrepot.settings import Settings


async def main(data: str) -> None:
    settings = Settings(data=Path(data))
    print("ready", flush=True)
    sys.stdin.readline()
    names = await migrate(settings)
    async with database(settings):
        assert await fetch_one("SELECT count(*) FROM file") is not None
    print("applied", *names)


asyncio.run(main(sys.argv[1]))
