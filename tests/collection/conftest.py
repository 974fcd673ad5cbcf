"""A house whose garbage is collected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.services.checks import check
from entrepot.services.collection import Report, collect
from entrepot.services.files import remove_file
from house import House, Person


@dataclass
class Yard:
    """What the tests do with alice's files."""

    house: House
    alice: Person

    async def collect(self, hours: float = 24, **options: Any) -> Report:
        """Collect what nobody has touched for so many hours."""
        return await collect(self.house.site.storage, older_than=timedelta(hours=hours), **options)

    async def remove(self, basename: str) -> None:
        await remove_file(self.house.site, actor=self.alice.actor, namespace="alice", type="toy", path=basename)

    async def states(self) -> dict[str, str]:
        """The blobs that have a row."""
        return {row["sha256"]: row["state"] for row in await fetch("SELECT sha256, state FROM blob")}

    def stored(self) -> set[str]:
        """The blobs whose bytes are there."""
        return {sha256 for sha256, _ in self.house.site.storage.blobs()}

    async def age(self, hours: float = 25) -> None:
        """Let so many hours pass without anybody touching anything."""
        past = round(hours * 3_600_000)
        for statement in (
            "UPDATE blob SET touched_at = touched_at - $1",
            "UPDATE change SET changed_at = changed_at - $1",
            "UPDATE shard SET stored_at = stored_at - $1",
            "UPDATE staged_upload SET expires_at = expires_at - $1",
        ):
            await execute(statement, past)

    async def sound(self) -> bool:
        """Whether every row has its bytes, and all bytes a row."""
        report = await check(self.house.site.storage, self.house.site.registry)
        assert report.problems == []
        return report.problems == []


@pytest.fixture
def yard(house: House, alice: Person) -> Yard:
    return Yard(house, alice)
