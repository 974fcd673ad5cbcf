"""What tests of several folders share: a running site, with alice and bob in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from entrepot.registry import Registry
from ground import GROUNDS, Ground, laid
from house import House, Person, open_house
from toy import ToyPlugin


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means here: a good part of the suite waits, for servers to start, timeouts to pass and processes to end."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """What the test's sites stand on: each test that opens one runs on SQLite and a folder, and on PostgreSQL and an S3 server."""
    with laid(request.param) as ground:
        yield ground


@pytest.fixture(scope="module", params=GROUNDS)
def lasting_ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """The same for sites that all tests of a module share."""
    with laid(request.param) as ground:
        yield ground


@pytest.fixture
def house_data(tmp_path: Path, ground: Ground) -> Path:
    """The data folder of `house`."""
    return ground.data(tmp_path / "house")


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


@pytest.fixture
async def depot(house_data: Path) -> AsyncIterator[House]:
    """A running site with the built-in types, and alice in it."""
    async with open_house(house_data, Registry.built_in()) as house:
        await house.person("alice")
        yield house


@pytest.fixture
def owner(depot: House) -> Person:
    """Alice."""
    return depot.people["alice"]
