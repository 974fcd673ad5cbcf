"""Another process holds the database's write lock for longer than a request waits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from entrepot.db.sql import execute
from house import House, Person, sentence
from toy import build_toy, line_of

BUSY = "The database is busy or cannot be written to just now; nothing was changed. Try again in a moment."


@pytest.fixture
async def impatient(house: House, alice: Person, bob: Person) -> House:
    """A house that waits for a fifth of a second; as it is set up, alice has a ball."""
    await alice.has("ball.toy", build_toy("ball"))
    await execute("PRAGMA busy_timeout=200")
    return house


@pytest.fixture
def lock(house: House) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else's."""
    with closing(sqlite3.connect(house.site.settings.database_path, isolation_level=None)) as connection:
        yield connection


async def test_an_upload_is_503_and_leaves_nothing_and_works_when_the_lock_is_gone(impatient: House, alice: Person, lock: sqlite3.Connection) -> None:
    before = await impatient.left()
    lock.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        response = await alice.put("car.toy", build_toy("car"))
        assert sentence(response, 503) == BUSY
        assert response.headers["retry-after"] == "1"
    assert await impatient.left() == before
    lock.execute("ROLLBACK")
    await alice.has("car.toy", build_toy("car"))


async def test_what_was_published_is_served_meanwhile(impatient: House, alice: Person, lock: sqlite3.Connection) -> None:
    lock.execute("BEGIN IMMEDIATE")
    assert (await impatient.anyone.get("/toy/alice/listing")).text == line_of("ball.toy", build_toy("ball"))
    assert (await alice.client.get("/toy/alice/files/ball.toy")).content == build_toy("ball")
    assert (await alice.put("ball.toy", build_toy("ball"))).status_code == 200


async def test_a_document_that_must_be_begun_is_503_and_then_there(impatient: House, lock: sqlite3.Connection) -> None:
    lock.execute("BEGIN IMMEDIATE")
    for path in ("/toy/bob/listing", "/toy/alice/shards"):  # the first request writes the head, or the shards
        assert sentence(await impatient.anyone.get(path), 503) == BUSY
    lock.execute("ROLLBACK")
    for path in ("/toy/bob/listing", "/toy/alice/shards"):
        assert (await impatient.anyone.get(path)).status_code == 200


async def test_many_readers_with_one_token_leave_the_writers_queue_free(impatient: House, bob: Person, lock: sqlite3.Connection) -> None:
    lock.execute("BEGIN IMMEDIATE")
    responses = await asyncio.gather(*(bob.client.get("/toy/alice/listing") for _ in range(100)))
    assert {response.status_code for response in responses} == {200}
    lock.execute("ROLLBACK")
    async with asyncio.timeout(5):
        await bob.has("car.toy", build_toy("car"))
