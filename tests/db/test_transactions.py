"""What the SQLite engine cures."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from blob_rows import insert, names
from entrepot.db.connection import database, opened
from entrepot.db.models import Blob
from entrepot.db.sql import execute, fetch, fetch_one, transact, transaction
from entrepot.db.sqlite import only_reads
from entrepot.errors import Unavailable
from entrepot.settings import Settings
from ground import Ground, laid
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError, TransactionManagementError

Spawn = Callable[..., Any]
Write = Callable[[str, str], Coroutine[Any, Any, None]]
ENDLESS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000000000) SELECT max(n) AS n FROM numbers"


@pytest.fixture
def ground() -> Iterator[Ground]:
    """SQLite: that is what these tests are about."""
    with laid("folder") as ground:
        yield ground


async def insert_two(first: str, second: str) -> None:
    async with transaction():
        await insert(first)
        await fetch("SELECT count(*) FROM blob")
        await insert(second)


async def insert_two_in_the_thread(first: str, second: str) -> None:
    async def body() -> None:
        await insert(first)
        await fetch("SELECT count(*) FROM blob")
        await insert(second)

    await transact(body)


WRITES = pytest.mark.parametrize("write", [insert_two, insert_two_in_the_thread])


@types.coroutine
def cancelled_at(turn: int, work: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
    """Run the work and cancel the task at the nth time that it waits for something."""
    advance: Callable[[], Any] = partial(work.send, None)
    while True:
        try:
            waited_for = advance()
        except StopIteration:
            return
        if turn == 0:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        turn -= 1
        try:
            yield waited_for
            advance = partial(work.send, None)
        except BaseException as error:
            advance = partial(work.throw, error)


async def was_cancelled(work: Awaitable[None]) -> bool:
    async def run() -> None:
        await work

    results = await asyncio.gather(asyncio.ensure_future(run()), return_exceptions=True)
    assert results[0] is None or isinstance(results[0], asyncio.CancelledError), results
    return results[0] is not None


@asynccontextmanager
async def lock_held_elsewhere(settings: Settings, spawn: Spawn) -> AsyncIterator[Callable[[], None]]:
    """Another process holds the write lock until the function that this gives is called."""
    process = spawn("lock_holder.py", settings.database_path)
    assert process.stdout.readline() == "held\n"

    def release() -> None:
        process.stdin.write("enough\n")
        process.stdin.flush()

    yield release


@WRITES
async def test_a_transaction_cancelled_at_any_point_is_whole_or_not_there(db: Settings, write: Write) -> None:
    turn = 0
    while await was_cancelled(cancelled_at(turn, write(f"{turn}a", f"{turn}b"))):
        with anyio.fail_after(5):
            await write(f"after {turn}a", f"after {turn}b")
        turn += 1
        assert turn < 100
    assert turn >= (5 if write is insert_two else 1)  # BEGIN, three statements, COMMIT; or one wait for all of them
    found = await names()
    assert all(f"after {n}{half}" in found for n in range(turn) for half in "ab")
    assert all((f"{n}a" in found) == (f"{n}b" in found) for n in range(turn))
    assert write is insert_two_in_the_thread or "0a" not in found  # cancelled at BEGIN
    assert f"{turn}b" in found  # the one that was not cancelled


@pytest.mark.parametrize("turn", range(4))
async def test_a_bulk_insert_cancelled_at_any_point_leaves_no_transaction_open(db: Settings, turn: int) -> None:
    async def bulk() -> None:
        await Blob.bulk_create([Blob(sha256=str(number), size=1, state="stored", touched_at=0) for number in range(10)])

    await was_cancelled(cancelled_at(turn, bulk()))
    with anyio.fail_after(5):
        await insert_two("a", "b")
    assert len(await names()) in (2, 12)


@WRITES
async def test_a_begin_that_anyio_cancels_again_and_again_is_seen_to_its_end(db: Settings, spawn: Spawn, write: Write) -> None:
    async with lock_held_elsewhere(db, spawn) as release, anyio.create_task_group() as group:
        ended = anyio.Event()
        scopes: list[anyio.CancelScope] = []

        async def impatient() -> None:
            with anyio.move_on_after(0.05) as scope:
                scopes.append(scope)
                await write("first", "second")
            ended.set()

        group.start_soon(impatient)
        while not scopes or not scopes[0].cancel_called:
            await checkpoint()
        for _ in range(50):
            await checkpoint()
        assert not ended.is_set()  # the thread still waits in BEGIN: to go on now would leave it with a transaction that nobody knows of
        release()
        with anyio.fail_after(20):
            await ended.wait()
            await write("a", "b")
    happened = {"first", "second"} if write is insert_two_in_the_thread else set()
    assert await names() == {"a", "b"} | happened


async def test_cancelled_waiters_in_a_queue_do_not_hold_up_the_others(db: Settings, spawn: Spawn) -> None:
    async with lock_held_elsewhere(db, spawn) as release:
        tasks = [asyncio.create_task(insert_two(f"{n}a", f"{n}b")) for n in range(12)]
        for _ in range(20):
            await checkpoint()
        for task in tasks[::2]:
            task.cancel()
        release()
        with anyio.fail_after(20):
            results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, False] * 6
    assert await names() == {f"{n}{half}" for n in range(1, 12, 2) for half in "ab"}


@WRITES
async def test_a_refused_begin_is_unavailable_and_leaves_the_lock_free(migrated: Settings, spawn: Spawn, write: Write) -> None:
    async with opened(migrated, (), everywhere=True, busy_timeout=20):
        async with lock_held_elsewhere(migrated, spawn) as release:
            for _ in range(3):
                with anyio.fail_after(5), pytest.raises(Unavailable, match="Try again"):
                    await write("never", "never too")
            release()
        await execute("PRAGMA busy_timeout=10000")
        with anyio.fail_after(20):
            await write("a", "b")
        assert await names() == {"a", "b"}


async def test_a_commit_that_fails_leaves_no_transaction_open(db: Settings) -> None:
    async def dangling() -> None:
        async with transaction():
            await execute("PRAGMA defer_foreign_keys=ON")
            await insert("never")
            await execute("INSERT INTO binding (namespace_id, package_id, type, name, state) VALUES (404, 404, 'conda', 'x', '{}')")

    with pytest.raises(IntegrityError):
        await dangling()
    with anyio.fail_after(5):
        await insert_two("a", "b")
    assert await names() == {"a", "b"}


async def test_a_transaction_in_the_thread_that_fails_is_undone_and_says_why(db: Settings) -> None:
    async def refused() -> None:
        await insert("never")
        raise ValueError("refused")

    async def dangling() -> None:
        await execute("PRAGMA defer_foreign_keys=ON")
        await insert("never")
        await execute("INSERT INTO binding (namespace_id, package_id, type, name, state) VALUES (404, 404, 'conda', 'x', '{}')")

    async def twice() -> None:
        await insert("never")
        await insert("never")

    for body, error in ((refused, ValueError), (dangling, IntegrityError), (twice, IntegrityError)):
        with pytest.raises(error):
            await transact(body)
    with anyio.fail_after(5):
        await insert_two_in_the_thread("a", "b")
    assert await names() == {"a", "b"}


async def test_a_transaction_in_the_thread_that_waits_for_something_else_is_undone(db: Settings) -> None:
    async def body() -> None:
        await insert("never")
        await asyncio.sleep(0)

    with pytest.raises(TransactionManagementError, match="other than the database"):
        await transact(body)
    assert await names() == set()


async def test_a_transaction_in_the_thread_is_part_of_the_one_that_runs(db: Settings) -> None:
    async def outer() -> None:
        async with transaction():
            await insert_two_in_the_thread("never", "never too")
            raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await outer()
    assert await names() == set()


async def test_a_transaction_in_the_thread_answers_what_its_body_answers(db: Settings) -> None:
    async def body() -> tuple[int, int]:
        await insert("a")
        await insert("b")
        row = await fetch_one("SELECT count(*) AS n FROM blob")
        assert row is not None
        return row["n"], await execute("UPDATE blob SET size = 2")

    assert await transact(body) == (2, 2)


async def test_reads_do_not_wait_for_a_transaction_and_see_what_was_committed_before_it(db: Settings) -> None:
    await insert("before")
    inside, read = anyio.Event(), anyio.Event()
    seen: list[set[str]] = []

    async def reader() -> None:
        await inside.wait()
        seen.append(await names())
        seen.append({blob.sha256 for blob in await Blob.all()})
        read.set()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(reader)  # before the transaction: a task that starts inside belongs to it
            async with transaction():
                await insert("inside")
                assert await names() == {"before", "inside"}
                inside.set()
                await read.wait()
    assert seen == [{"before"}, {"before"}]
    assert await names() == {"before", "inside"}


async def test_a_read_after_a_commit_sees_it_from_every_reader(db: Settings) -> None:
    for number in range(50):
        await insert(str(number))
        counts = await asyncio.gather(*(fetch_one("SELECT count(*) AS n FROM blob") for _ in range(4)))
        assert [row["n"] for row in counts if row] == [number + 1] * 4


async def test_who_waits_for_a_reader_comes_before_who_has_just_had_one(migrated: Settings) -> None:
    rounds = 0
    async with opened(migrated, (), everywhere=True, readers=1), anyio.create_task_group() as group:

        async def greedy() -> None:
            nonlocal rounds
            while True:
                await fetch("SELECT 1")
                rounds += 1

        group.start_soon(greedy)
        while not rounds:
            await checkpoint()
        began = rounds
        with anyio.fail_after(20):
            for _ in range(5):
                await fetch("SELECT 2")
        assert rounds - began <= 6
        group.cancel_scope.cancel()


async def test_a_cancelled_read_stops_and_gives_its_reader_back(migrated: Settings) -> None:
    async with opened(migrated, (), everywhere=True, readers=1):
        for _ in range(3):
            with anyio.move_on_after(0.05) as scope:
                await fetch(ENDLESS)
            assert scope.cancelled_caught
            with anyio.fail_after(5):
                assert await fetch_one("SELECT 1 AS one") is not None


@pytest.mark.parametrize("turn", range(2))
async def test_a_read_cancelled_at_any_point_gives_its_reader_back(migrated: Settings, turn: int) -> None:
    async def read() -> None:
        await fetch("SELECT * FROM blob")

    async with opened(migrated, (), everywhere=True, readers=1):
        await was_cancelled(cancelled_at(turn, read()))
        with anyio.fail_after(5):
            assert await names() == set()


async def test_closing_ends_every_thread_also_of_reads_under_way(migrated: Settings) -> None:
    before = set(threading.enumerate())
    async with database(migrated):
        assert len(set(threading.enumerate()) - before) == 3  # a writer and two readers
        tasks = [asyncio.create_task(fetch(ENDLESS)) for _ in range(2)]
        await checkpoint()
        for task in tasks:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before


async def test_a_task_that_outlives_its_transaction_is_refused(db: Settings) -> None:
    over = anyio.Event()

    async def late(write: Callable[[], Awaitable[None]]) -> None:
        await over.wait()
        await write()

    async def nested() -> None:
        async with transaction():
            await insert("never")

    async with transaction():
        tasks = [asyncio.create_task(late(partial(insert, "never"))), asyncio.create_task(late(nested))]
    over.set()
    for task in tasks:
        with pytest.raises(TransactionManagementError, match="after it, not inside"):
            await task
    assert await names() == set()


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("SELECT 1", True),
        ("\n  select 1", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("WITH x AS (SELECT 1) INSERT INTO blob SELECT * FROM x", False),
        ("with x as (select 1) delete from blob", False),
        ("INSERT INTO blob VALUES (1) RETURNING sha256", False),
        ("UPDATE blob SET size = 1", False),
        ("PRAGMA foreign_keys=OFF", False),
        ("", False),
    ],
)
def test_only_statements_that_cannot_write_go_to_readers(statement: str, reads: bool) -> None:
    assert only_reads(statement) is reads


async def test_a_write_that_begins_with_with_is_written(db: Settings) -> None:
    assert (
        await execute(
            "WITH given(name) AS (SELECT $1) INSERT INTO blob (sha256, size, state, touched_at) SELECT name, 1, 'stored', 0 FROM given", "a"
        )
        == 1
    )
    assert await names() == {"a"}


async def test_commits_survive_a_loss_of_power_and_foreign_keys_hold(db: Settings) -> None:
    pragmas = {}
    for pragma in ("synchronous", "foreign_keys", "journal_mode"):
        _, rows = await get_connection("default").execute_query(f"PRAGMA {pragma}")
        pragmas[pragma] = rows[0][0]
    assert pragmas == {"synchronous": 2, "foreign_keys": 1, "journal_mode": "wal"}


async def test_a_reader_cannot_write(db: Settings) -> None:
    client: Any = get_connection("default")
    for reader in client._readers:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await reader.execute_fetchall("DELETE FROM blob")
