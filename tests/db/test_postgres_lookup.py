"""On PostgreSQL the hot path's look-ups share queries, and none is answered from before it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import asyncpg
import pytest
from anyio.lowlevel import checkpoint
from entrepot.db.postgres_lookup import NAMESPACE, PostgresLookup, holdable, placed
from entrepot.errors import NotFound, Unavailable
from ground import Ground, laid
from postgres_server import PostgresServer, free_port

ADD = "INSERT INTO namespace (uuid, name, name_key, kind, display_name, description, replace, created_at) VALUES ($1, $1, $1, 'user', '', '', '', 0)"


@pytest.fixture
def ground() -> Iterator[Ground]:
    """PostgreSQL: that is what these tests are about."""
    with laid("fleet") as ground:
        yield ground


@pytest.fixture
def url(ground: Ground) -> str:
    return ground.environment["ENTREPOT_DATABASE_URL"]


@pytest.fixture
async def lookup(url: str) -> AsyncIterator[PostgresLookup]:
    found = PostgresLookup(url)
    yield found
    found.close()


@pytest.fixture
async def writer(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_every_commit_is_seen_by_the_next_look_up(lookup: PostgresLookup, writer: Any) -> None:
    for number in range(50):
        name = f"n{number}"
        assert await lookup.namespace(name) is None
        await writer.execute(ADD, name)
        assert (found := await lookup.namespace(name)) is not None
        assert found.name == name


async def test_many_that_ask_while_others_commit_never_read_the_past(lookup: PostgresLookup, writer: Any) -> None:
    """Each reader asks for the newest name that it knows to be committed: some are alone in a query, most are not."""
    committed, reads, stale = 0, 0, []
    over = False

    async def read() -> None:
        nonlocal reads
        while not over:
            wanted = committed
            if wanted and await lookup.namespace(f"n{wanted}") is None:
                stale.append(wanted)
            reads += 1
            await checkpoint()

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(read())
        while committed < 100 or reads <= 500:  # however slow either side is here
            await writer.execute(ADD, f"n{committed + 1}")
            committed += 1
        over = True
    assert stale == []


async def test_what_is_asked_together_goes_together(lookup: PostgresLookup, writer: Any) -> None:
    for number in range(0, 100, 2):
        await writer.execute(ADD, f"n{number}")
    await lookup.namespace("warm")
    line, sent = lookup._others, []
    send = line._send

    async def watched(kind: Any, wanted: Any) -> Any:
        sent.append(len(wanted))
        return await send(kind, wanted)

    line._send = watched  # type: ignore[method-assign]
    found = await asyncio.gather(*(lookup.namespace(f"n{number}") for number in range(100)))
    assert [row and row.name for row in found] == [f"n{number}" if number % 2 == 0 else None for number in range(100)]
    assert sent == [100]
    first = asyncio.create_task(lookup.namespace("n0"))
    await checkpoint()
    await checkpoint()
    assert sent == [100, 1]
    late = [asyncio.create_task(lookup.namespace("n2")) for _ in range(5)]  # the first is on its way: they must not be told what it finds
    await asyncio.gather(first, *late)
    assert sent == [100, 1, 5]


async def test_kinds_take_turns_on_one_connection(lookup: PostgresLookup, writer: Any) -> None:
    await writer.execute(ADD, "alice")
    namespaces, labels, tokens = (
        [lookup.namespace("alice") for _ in range(20)],
        [lookup.label(1, "main") for _ in range(20)],
        [lookup.token("none") for _ in range(20)],
    )
    found = await asyncio.gather(*namespaces, *labels, *tokens)
    assert [row is not None and row is not False for row in found] == [True] * 20 + [False] * 40


@pytest.mark.parametrize("name", ["a\0b", "half \ud800", "x" * 1_000_000])
async def test_a_name_that_no_column_holds_is_not_there_and_spoils_nothing_for_others(lookup: PostgresLookup, writer: Any, name: str) -> None:
    await writer.execute(ADD, "alice")
    bad, good, number = await asyncio.gather(lookup.namespace(name), lookup.namespace("alice"), lookup.label(1 << 70, "main"))
    assert (bad, number) == (None, False)
    assert good is not None


@pytest.mark.parametrize(
    ("value", "may"), [("", True), ("Ünï-😀", True), ("\0", False), ("\udfff", False), (-(1 << 63), True), (1 << 63, False), (-(1 << 63) - 1, False)]
)
def test_what_a_column_can_hold(value: str | int, may: bool) -> None:
    assert holdable(value) is may


def test_placeholders_become_columns() -> None:
    assert placed("SELECT ? , ?") == "SELECT given.v1 , given.v2"
    assert placed("SELECT ?2 , ?1 , ?2") == "SELECT given.v2 , given.v1 , given.v2"


async def test_who_is_cancelled_while_waiting_harms_nobody(lookup: PostgresLookup, writer: Any) -> None:
    await writer.execute(ADD, "alice")
    tasks = [asyncio.create_task(lookup.namespace("alice")) for _ in range(10)]
    await checkpoint()
    for task in tasks[::2]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in found] == [True, False] * 5
    assert all(getattr(one, "name", None) == "alice" for one in found[1::2])


async def test_a_connection_that_was_ended_is_replaced_unnoticed(lookup: PostgresLookup, writer: Any) -> None:
    await writer.execute(ADD, "alice")
    for _ in range(5):
        assert await lookup.namespace("alice") is not None
        ended = await writer.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'entrepot look-ups'")
        assert len(ended) >= 1


async def test_a_server_that_is_away_is_unavailable_and_then_there_again(postgres: PostgresServer) -> None:
    lookup = PostgresLookup(postgres.url())
    with pytest.raises(Unavailable, match="cannot be read"):
        await lookup.namespace("alice")  # no table yet: whatever goes wrong, one sentence
    connection = await asyncpg.connect(postgres.url())
    await connection.execute("CREATE TABLE namespace (id bigint, name text, uuid text, strictness text, name_key text)")
    await connection.execute("INSERT INTO namespace VALUES (1, 'alice', 'x', NULL, 'alice')")
    assert await lookup.namespace("alice") is not None
    await anyio.to_thread.run_sync(postgres.kill)
    refused = await asyncio.gather(*(lookup.namespace("alice") for _ in range(20)), return_exceptions=True)
    assert [type(one) for one in refused] == [Unavailable] * 20
    await anyio.to_thread.run_sync(postgres.start)
    assert await lookup.namespace("alice") is not None
    lookup.close()


async def test_nobody_waits_for_ever_when_it_is_closed(lookup: PostgresLookup) -> None:
    await lookup.namespace("warm")
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(lookup.namespace("alice")) for _ in range(3)]
    await checkpoint()
    tasks += [asyncio.create_task(lookup.token("none")) for _ in range(3)]
    await checkpoint()
    lookup.close()
    with anyio.fail_after(5):
        found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(one is None or isinstance(one, Unavailable) for one in found)


async def test_a_port_where_nobody_listens_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await PostgresLookup(f"postgres://entrepot@127.0.0.1:{free_port()}/x").token("none")


async def test_a_shard_that_is_no_more_is_not_found(lookup: PostgresLookup) -> None:
    with pytest.raises(NotFound):
        await lookup.shard_body(1)


def test_a_batch_is_one_statement() -> None:
    assert " ".join(NAMESPACE.batched().split()) == (
        "SELECT given.number, found.* FROM unnest($1::text[]) WITH ORDINALITY AS given (v1, number) "
        "CROSS JOIN LATERAL (SELECT id, name, uuid, strictness FROM namespace WHERE name_key = given.v1) AS found"
    )
