"""What the PostgreSQL engine cures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import asyncpg
import pytest
from anyio.lowlevel import checkpoint
from blob_rows import insert, names
from entrepot.db.connection import opened
from entrepot.db.postgres import answers_rows
from entrepot.db.sql import execute, fetch, fetch_one, transact, transaction
from entrepot.errors import BadRequest, Unavailable
from entrepot.settings import Settings
from ground import Ground, laid
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError, TransactionManagementError
from tortoise.transactions import in_transaction

CONNECTIONS = 8
"""What a worker has, as it is set."""


@pytest.fixture
def ground() -> Iterator[Ground]:
    """PostgreSQL: that is what these tests are about."""
    with laid("fleet") as ground:
        yield ground


async def all_connections_work() -> None:
    """The pool has lost none, and none is in a transaction."""
    with anyio.fail_after(20):
        states = await asyncio.gather(
            *(
                fetch_one("SELECT pg_sleep(0.05), pg_backend_pid() AS id, pg_current_xact_id_if_assigned() IS NULL AS fresh")
                for _ in range(CONNECTIONS)
            )
        )
    assert len({row["id"] for row in states if row}) == CONNECTIONS
    assert all(row and row["fresh"] for row in states)


async def waiting(count: int) -> None:
    """Until so many sessions wait for a lock."""
    statement = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with anyio.fail_after(20):
        while (row := await fetch_one(statement)) and row["n"] < count:
            await checkpoint()


@pytest.mark.parametrize("turns", range(0, 24, 2))
async def test_a_transaction_cancelled_at_any_moment_leaves_the_pool_whole(db: Settings, turns: int) -> None:
    async def write(name: str) -> None:
        async with transaction():
            await insert(name)
            await insert(f"{name}, too")

    for number in range(2 * CONNECTIONS):
        task = asyncio.create_task(write(str(number)))
        for _ in range(turns):
            await checkpoint()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await all_connections_work()
    found = await names()
    assert {name.partition(",")[0] for name in found} == {name for name in found if "," not in name}  # each whole or not there
    assert len(found) % 2 == 0


async def test_one_that_is_cancelled_again_and_again_while_it_waits_for_a_lock(db: Settings) -> None:
    await insert("contended")
    locked, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with transaction():
            await execute("UPDATE blob SET size = 2 WHERE sha256 = 'contended'")
            locked.set()
            await release.wait()

    async def wait_for_it() -> None:
        async with transaction():
            await execute("UPDATE blob SET size = 3 WHERE sha256 = 'contended'")

    holder = asyncio.create_task(hold())
    await locked.wait()
    for _ in range(2 * CONNECTIONS):
        async with anyio.create_task_group() as group:
            group.start_soon(wait_for_it)
            await waiting(1)
            group.cancel_scope.cancel()
    release.set()
    await holder
    await all_connections_work()
    row = await fetch_one("SELECT size FROM blob")
    assert row is not None
    assert row["size"] == 2


async def test_a_commit_that_is_cancelled_is_seen_to_its_end(db: Settings) -> None:
    async def write() -> None:
        async with transaction():
            await insert("written")
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(write())
    await asyncio.gather(task, return_exceptions=True)
    assert await names() == {"written"}
    await all_connections_work()


async def test_half_of_the_connections_write_at_most_and_the_others_read_meanwhile(db: Settings) -> None:
    release, inside = asyncio.Event(), 0

    async def write(number: int) -> None:
        nonlocal inside
        async with transaction():
            inside += 1
            await insert(str(number))
            await release.wait()
            inside -= 1

    tasks = [asyncio.create_task(write(number)) for number in range(3 * CONNECTIONS)]
    with anyio.fail_after(20):
        while inside < CONNECTIONS // 2:
            await checkpoint()
        for _ in range(50):
            await fetch("SELECT 1")  # readers go by
        assert inside == CONNECTIONS // 2
        release.set()
        await asyncio.gather(*tasks)
    assert len(await names()) == 3 * CONNECTIONS


async def test_a_task_that_outlives_its_transaction_is_refused(db: Settings) -> None:
    over = asyncio.Event()

    async def late() -> None:
        await over.wait()
        await insert("never")

    async def nested() -> None:
        await over.wait()
        async with in_transaction():
            await insert("never")

    async with transaction():
        tasks = [asyncio.create_task(late()), asyncio.create_task(nested())]
    over.set()
    for task in tasks:
        with pytest.raises(TransactionManagementError, match="after it, not inside"):
            await task
    assert await names() == set()


async def test_transactions_that_deadlock_are_run_again_and_both_take_place(db: Settings) -> None:
    for name in ("a", "b"):
        await insert(name)
    begun: list[str] = []
    both = asyncio.Event()

    async def add(first: str, second: str) -> None:
        begun.append(first)
        await execute("UPDATE blob SET size = size + 1 WHERE sha256 = $1", first)
        if len(begun) == 2:
            both.set()
        await both.wait()
        await execute("UPDATE blob SET size = size + 1 WHERE sha256 = $1", second)

    with anyio.fail_after(20):
        await asyncio.gather(transact(partial(add, "a", "b")), transact(partial(add, "b", "a")))
    assert len(begun) == 3, "nothing collided"
    assert [row["size"] for row in await fetch("SELECT size FROM blob")] == [3, 3]


async def test_what_breaks_a_rule_of_a_table_is_told_and_undone_and_not_tried_again(db: Settings) -> None:
    runs = 0

    async def twice() -> None:
        nonlocal runs
        runs += 1
        await insert("same")
        await insert("same")

    with pytest.raises(IntegrityError):
        await transact(twice)
    assert runs == 1
    assert await names() == set()
    await all_connections_work()


async def test_a_session_that_is_ended_in_the_middle_is_unavailable_and_leaves_nothing(db: Settings, ground: Ground) -> None:
    async def interrupted() -> None:
        async with transaction():
            await insert("lost")
            row = await fetch_one("SELECT pg_backend_pid() AS id")
            assert row is not None
            await operator.execute("SELECT pg_terminate_backend($1)", row["id"])
            await insert("lost as well")

    operator = await asyncpg.connect(ground.environment["ENTREPOT_DATABASE_URL"])
    with pytest.raises(Unavailable, match="nothing was changed"):
        await interrupted()
    await operator.close()
    assert await names() == set()
    await all_connections_work()


async def test_a_session_that_is_ended_at_its_commit_is_in_doubt_and_says_so(db: Settings, ground: Ground) -> None:
    async def interrupted() -> None:
        async with transaction():
            row = await fetch_one("SELECT pg_backend_pid() AS id")
            assert row is not None
            await operator.execute("SELECT pg_terminate_backend($1)", row["id"])

    operator = await asyncpg.connect(ground.environment["ENTREPOT_DATABASE_URL"])
    with pytest.raises(Unavailable, match="whole, or not there at all"):
        await interrupted()
    await operator.close()
    await all_connections_work()


@pytest.mark.parametrize("value", ["a\0b", "half \ud800", 1 << 63])
async def test_a_value_that_no_column_holds_is_the_requests_fault(db: Settings, value: Any) -> None:
    statement = "SELECT 1 FROM blob WHERE size = $1" if isinstance(value, int) else "SELECT 1 FROM blob WHERE sha256 = $1"
    with pytest.raises(BadRequest, match="nothing here can have"):
        await fetch(statement, value)
    with pytest.raises(BadRequest, match="nothing here can have"):
        await transact(lambda: execute(statement, value))
    await all_connections_work()


async def test_rows_and_counts(db: Settings) -> None:
    two = "INSERT INTO blob (sha256, size, state, touched_at) VALUES ('a', 1, 's', 0), ('b', 2, 's', 0)"
    assert [row["sha256"] for row in await fetch(f"{two} RETURNING sha256")] == ["a", "b"]
    assert await execute("UPDATE blob SET size = 3 WHERE sha256 = $1", "a") == 1
    assert await execute("DELETE FROM blob") == 2
    assert await execute(two) == 2
    assert (
        await execute("WITH given AS (SELECT 'c' AS name) INSERT INTO blob (sha256, size, state, touched_at) SELECT name, 1, 's', 0 FROM given") == 1
    )


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT 1", True),
        ("  with x as (select 1) select * from x", True),
        ("SHOW jit", True),
        ("INSERT INTO blob VALUES (1) RETURNING sha256", True),
        ("update blob set size = 1 returning size", True),
        ("INSERT INTO blob VALUES (1)", False),
        ("WITH x AS (SELECT 1) DELETE FROM blob", False),
    ],
)
def test_statements_that_answer_rows(statement: str, rows: bool) -> None:
    assert answers_rows(statement) is rows


async def test_a_session_has_bounds_that_the_url_may_move(db: Settings, ground: Ground) -> None:
    async def shown() -> list[str]:
        return [str((await fetch_one(f"SHOW {name}") or {})[name]) for name in ("lock_timeout", "statement_timeout", "jit")]

    assert await shown() == ["10s", "1min", "off"]
    moved = Settings(data=db.data, database_url=ground.environment["ENTREPOT_DATABASE_URL"] + "?statement_timeout=5min&jit=on")
    async with opened(moved, (), everywhere=False):
        assert get_connection("default").capabilities.dialect == "postgres"
        assert await shown() == ["10s", "5min", "on"]
