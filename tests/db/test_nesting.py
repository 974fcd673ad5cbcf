"""Transactions inside transactions."""

from __future__ import annotations

import pytest
from blob_rows import insert, names
from entrepot.db.sql import transaction
from entrepot.settings import Settings
from tortoise.transactions import in_transaction


async def test_a_nested_transaction_that_fails_undoes_itself_alone(db: Settings) -> None:
    async def inner() -> None:
        async with in_transaction():
            await insert("inner")
            raise ValueError("inner")

    async with transaction():
        await insert("outer")
        with pytest.raises(ValueError, match="inner"):
            await inner()
    assert await names() == {"outer"}
