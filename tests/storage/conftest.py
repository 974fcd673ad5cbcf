"""A storage in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.settings import Settings
from entrepot.storage import LocalStorage


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def storage(folder: Path) -> LocalStorage:
    return LocalStorage(folder)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[None]:
    """An open database."""
    settings = Settings(data=tmp_path / "data")
    await migrate(settings)
    async with database(settings):
        yield
