"""An organization of alice's, and people who are to be given something."""

from __future__ import annotations

import pytest
from company import Company, found_company
from house import House, Person


@pytest.fixture
async def acme(house: House, alice: Person) -> Company:
    """An organization that alice owns."""
    return await found_company(house, alice)


@pytest.fixture
async def carol(house: House) -> Person:
    """Somebody else."""
    return await house.person("carol")
