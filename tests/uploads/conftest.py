"""Servers in processes of their own, with the built-in plugins and alice and bob."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.registry import Registry
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot_process import Running, serving
from ground import Ground
from house import TABLES, counting


@dataclass
class Depot:
    """A server that runs, and its data folder as seen from here."""

    running: Running
    data: Path
    ground: Ground
    tokens: dict[str, str]

    @property
    def port(self) -> int:
        return self.running.port

    def put(self, basename: str, body: bytes, *, by: str = "alice", **query: str) -> httpx.Response:
        """Upload on a connection of its own."""
        return httpx.put(
            f"{self.running.url}/upload/{by}/{basename}",
            params=query,
            content=body,
            headers={"Authorization": f"Bearer {self.tokens[by]}"},
            timeout=60,
        )

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self.ground.rows(self.data, statement)

    def left(self) -> dict[str, int]:
        """What uploads have left: rows and spooled bytes."""
        counts = dict(self.rows(" UNION ALL ".join(counting(table).replace("SELECT", f"SELECT '{table}',", 1) for table in TABLES)))
        counts["spool"] = sum(1 for file in self.data.rglob("spool/*"))
        return {name: count for name, count in counts.items() if count}


async def prepare(data: Path) -> dict[str, str]:
    settings, registry = Settings(data=data), Registry.built_in()
    await migrate(settings, registry.models())
    tokens = {}
    async with database(settings, registry.models()):
        for name in ("alice", "bob"):
            await create_user(registry, name=name, password=None, admin=False)
            tokens[name] = await create_token(registry, owner=name, name="laptop")
    return tokens


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> Iterator[Depot]:
    """A server with one worker; its tests leave nothing behind."""
    data = lasting_ground.data(tmp_path_factory.mktemp("depot") / "data")
    tokens = asyncio.run(prepare(data))
    with serving(data, environment={"ENTREPOT_MAX_UPLOAD": str(300 << 20)}) as running:
        yield Depot(running, data, lasting_ground, tokens)
