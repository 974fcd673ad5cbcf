"""A site that knows recipes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrepot.registry import Registry
from house import House, Person, open_house
from recipe import RecipePlugin


@pytest.fixture
async def kitchen(house_data: Path) -> AsyncIterator[House]:
    """A house with recipes."""
    async with open_house(house_data, Registry.of({"recipe": RecipePlugin()})) as house:
        for name in ("alice", "bob"):
            await house.person(name)
        yield house


@pytest.fixture
def cook(kitchen: House) -> Person:
    """Alice."""
    return kitchen.people["alice"]
