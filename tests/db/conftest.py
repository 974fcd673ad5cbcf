"""A fresh database for each test, and other processes that use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from entrepot.db.connection import database
from entrepot.settings import Settings
from ground import Ground
from postgres_server import PostgresServer

Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def settings(tmp_path: Path, ground: Ground) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture
def migrated(settings: Settings, ground: Ground) -> Settings:
    """The settings of a database that has every table and is not open."""
    ground.data(settings.data)
    return settings


@pytest.fixture
async def db(migrated: Settings) -> AsyncIterator[Settings]:
    """The settings of an open database."""
    async with database(migrated):
        yield migrated


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test's own, to stop, to kill and to start again. What it says is committed survives that."""
    server = PostgresServer(durable=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a Python script of this folder in a process of its own; it is talked to by lines."""
    with ExitStack() as stack:

        def start(script: str, *arguments: object) -> subprocess.Popen[str]:
            command = [sys.executable, str(Path(__file__).parent / script), *map(str, arguments)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return stack.enter_context(process)

        yield start
