"""A house with the built-in types, for tests of what the indexes show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrepot.registry import Registry
from ground import Ground
from house import House, open_house


@pytest.fixture
async def depot(tmp_path: Path, ground: Ground) -> AsyncIterator[House]:
    """A house with the built-in types."""
    async with open_house(ground.data(tmp_path / "depot"), Registry.built_in()) as house:
        await house.person("alice")
        yield house
