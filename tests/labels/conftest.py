"""An organization of alice's, with people who may do different things there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from company import Company, found_company
from entrepot.registry import Registry
from house import House, Person, open_house


@pytest.fixture
async def house(house_data: Path) -> AsyncIterator[House]:
    """A running site with the built-in types, so that it is their channels that change."""
    async with open_house(house_data, Registry.built_in()) as opened:
        yield opened


@pytest.fixture
async def acme(house: House, alice: Person) -> Company:
    """An organization that alice owns."""
    return await found_company(house, alice)
