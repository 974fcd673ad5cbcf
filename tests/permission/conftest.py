"""A site with everybody on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cast import Cast, cast
from entrepot.registry import Registry
from ground import Ground
from house import open_house


@pytest.fixture
def anonymous_read(request: pytest.FixtureRequest) -> bool:
    """Whether the site is open to all; parametrized."""
    return bool(getattr(request, "param", True))


@pytest.fixture
async def everybody(tmp_path: Path, ground: Ground, anonymous_read: bool) -> AsyncIterator[Cast]:
    """A site with the built-in types, and everybody on it."""
    async with open_house(ground.data(tmp_path / "site"), Registry.built_in(), anonymous_read=anonymous_read) as house:
        yield await cast(house)
