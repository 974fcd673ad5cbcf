"""Alice, who has a conda and a PyPI package in one, bob, and an organization that alice owns."""

from __future__ import annotations

import pytest
from house import House, Person
from mover import Organization, organization


@pytest.fixture
async def alice(depot: House) -> Person:
    """A user of the depot, instead of the house's."""
    return depot.people["alice"]


@pytest.fixture
async def bob(depot: House) -> Person:
    """Another user of the depot."""
    return await depot.person("bob")


@pytest.fixture
async def acme(alice: Person) -> Organization:
    """An organization of alice's."""
    return await organization("acme", alice)
