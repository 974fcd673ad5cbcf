"""The package type by itself; and a site with the built-in types."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from entrepot.plugin import Inspection
from entrepot.registry import Registry
from entrepot_environment.packagetype import EnvironmentType
from house import House, Person, open_house
from hypothesis import settings

# A deadline would measure what else the machine is doing.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

Inspect = Callable[..., Inspection]
Detect = Callable[..., bool]


@pytest.fixture(scope="session")
def environment() -> EnvironmentType:
    return EnvironmentType()


@pytest.fixture(scope="session")
def inspect(environment: EnvironmentType) -> Inspect:
    """Inspect bytes under a name."""
    return lambda body, basename="environment.yml": environment.inspect(io.BytesIO(body), basename)


@pytest.fixture(scope="session")
def detect(environment: EnvironmentType) -> Detect:
    """Whether bytes under a name are an environment file."""
    return lambda body, basename="environment.yml": environment.detect(io.BytesIO(body), basename)


@pytest.fixture
async def depot(house_data: Path) -> AsyncIterator[House]:
    """A house with the built-in types."""
    async with open_house(house_data, Registry.built_in()) as house:
        await house.person("alice")
        yield house


@pytest.fixture
def owner(depot: House) -> Person:
    """Alice."""
    return depot.people["alice"]
