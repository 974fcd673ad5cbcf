"""What tests of several folders share: a running site, with alice and bob in it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrepot.db.migrate import migrate
from entrepot.registry import Registry
from entrepot.settings import Settings
from house import House, Person, open_house
from toy import ToyPlugin


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def migrated_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with every table of the core and no row, to copy."""
    data = tmp_path_factory.mktemp("migrated") / "data"
    asyncio.run(migrate(Settings(data=data)))
    return data


@pytest.fixture
def house_data(tmp_path: Path, migrated_data: Path) -> Path:
    """The data folder of `house`."""
    return Path(shutil.copytree(migrated_data, tmp_path / "house"))


@pytest.fixture
async def house(house_data: Path) -> AsyncIterator[House]:
    """A running site that knows toys."""
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()})) as opened:
        yield opened


@pytest.fixture
async def alice(house: House) -> Person:
    """A user of the house."""
    return await house.person("alice")


@pytest.fixture
async def bob(house: House) -> Person:
    """Another user of the house."""
    return await house.person("bob")
