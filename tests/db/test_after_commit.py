"""What is told of a change is told after the commit of the outermost transaction, and not at all if that is undone."""

from __future__ import annotations

import pytest
from entrepot.db.sql import after_commit, fetch, transact, transaction
from entrepot.settings import Settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def told(db: Settings) -> list[str]:
    return []


async def test_without_a_transaction_it_is_told_at_once(told: list[str]) -> None:
    after_commit(lambda: told.append("now"))
    assert told == ["now"]


async def test_inside_a_transaction_it_waits_for_the_outermost_commit(told: list[str]) -> None:
    async with transaction():
        async with transaction():
            after_commit(lambda: told.append("inner"))
        await transact(lambda: fetch("SELECT 1"))
        after_commit(lambda: told.append("outer"))
        assert told == []
    assert told == ["inner", "outer"]


async def fail_after_telling(told: list[str]) -> None:
    async with transaction():
        after_commit(lambda: told.append("undone"))
        raise RuntimeError


async def test_what_was_undone_is_not_told(told: list[str]) -> None:
    async with transaction():
        with pytest.raises(RuntimeError):
            await fail_after_telling(told)
        after_commit(lambda: told.append("kept"))
    with pytest.raises(RuntimeError):
        await fail_after_telling(told)
    assert told == ["kept"]
