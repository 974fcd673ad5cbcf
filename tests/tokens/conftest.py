"""An organization of alice's with packages in it."""

from __future__ import annotations

import pytest
from company import Company, found_company
from house import House, Person
from toy import build_toy


@pytest.fixture
async def acme(house: House, alice: Person) -> Company:
    """An organization that alice owns, with two private packages and a public one."""
    company = await found_company(house, alice)
    for name in ("ball", "car"):
        await alice.has(f"{name}.toy", build_toy(name), private="true", to="acme")
    await alice.has("boat.toy", build_toy("boat"), to="acme")
    return company
