"""Transactions inside transactions."""

from __future__ import annotations

import pytest
from entrepot.db.sql import execute, fetch, transaction
from entrepot.settings import Settings
from tortoise.transactions import in_transaction


async def insert(name: str) -> None:
    await execute("INSERT INTO blob (sha256, size, state, touched_at) VALUES ($1, 1, 'stored', 0)", name)


async def test_a_nested_transaction_that_fails_undoes_itself_alone(db: Settings) -> None:
    async def inner() -> None:
        async with in_transaction():
            await insert("inner")
            raise ValueError("inner")

    async with transaction():
        await insert("outer")
        with pytest.raises(ValueError, match="inner"):
            await inner()
    assert [row["sha256"] for row in await fetch("SELECT sha256 FROM blob")] == ["outer"]
