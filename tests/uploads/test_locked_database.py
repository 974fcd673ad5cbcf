"""Another process holds the database's write lock for longer than a request waits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from entrepot.db.sql import execute
from ground import Ground
from house import TABLES, House, Person, sentence
from toy import build_toy, line_of

BUSY = "The database is busy or cannot be written to just now; nothing was changed. Try again in a moment."


@pytest.fixture
async def impatient(house: House, alice: Person, bob: Person, ground: Ground) -> House:
    """A house that waits for a fifth of a second; as it is set up, alice has a ball."""
    await alice.has("ball.toy", build_toy("ball"))
    if ground.is_folder:
        await execute("PRAGMA busy_timeout=200")
    return house


@pytest.fixture
def house_data(house_data: Path, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a house that will not wait long for PostgreSQL's locks either."""
    if not ground.is_folder:
        monkeypatch.setenv("ENTREPOT_DATABASE_URL", ground.environment["ENTREPOT_DATABASE_URL"] + "?lock_timeout=200ms")
    return house_data


@dataclass
class Lock:
    """Somebody else who lets others read, and nobody write."""

    connection: Any

    async def hold(self) -> None:
        if isinstance(self.connection, sqlite3.Connection):
            self.connection.execute("BEGIN IMMEDIATE")
        else:
            await self.connection.execute(f"BEGIN; LOCK TABLE {', '.join(TABLES)}, namespace, blob, token IN EXCLUSIVE MODE")

    async def release(self) -> None:
        if isinstance(self.connection, sqlite3.Connection):
            self.connection.execute("ROLLBACK")
        else:
            await self.connection.execute("ROLLBACK")


@pytest.fixture
async def lock(house: House, ground: Ground) -> AsyncIterator[Lock]:
    """A connection of somebody else's."""
    if ground.is_folder:
        with closing(sqlite3.connect(house.site.settings.database_path, isolation_level=None)) as connection:
            yield Lock(connection)
    else:
        connection = await asyncpg.connect(ground.environment["ENTREPOT_DATABASE_URL"])
        yield Lock(connection)
        await connection.close()


async def test_an_upload_is_503_and_leaves_nothing_and_works_when_the_lock_is_gone(impatient: House, alice: Person, lock: Lock) -> None:
    before = await impatient.left()
    await lock.hold()
    for _ in range(3):
        response = await alice.put("car.toy", build_toy("car"))
        assert sentence(response, 503) == BUSY
        assert response.headers["retry-after"] == "1"
    assert await impatient.left() == before
    await lock.release()
    await alice.has("car.toy", build_toy("car"))


async def test_what_was_published_is_served_meanwhile(impatient: House, alice: Person, lock: Lock) -> None:
    await lock.hold()
    assert (await impatient.anyone.get("/toy/alice/listing")).text == line_of("ball.toy", build_toy("ball"))
    assert (await alice.client.get("/toy/alice/files/ball.toy")).content == build_toy("ball")
    assert (await alice.put("ball.toy", build_toy("ball"))).status_code == 200


async def test_a_document_that_must_be_begun_is_503_and_then_there(impatient: House, lock: Lock) -> None:
    await lock.hold()
    for path in ("/toy/bob/listing", "/toy/alice/shards"):  # the first request writes the head, or the shards
        assert sentence(await impatient.anyone.get(path), 503) == BUSY
    await lock.release()
    for path in ("/toy/bob/listing", "/toy/alice/shards"):
        assert (await impatient.anyone.get(path)).status_code == 200


async def test_many_readers_with_one_token_leave_the_writers_queue_free(impatient: House, bob: Person, lock: Lock) -> None:
    await lock.hold()
    responses = await asyncio.gather(*(bob.client.get("/toy/alice/listing") for _ in range(100)))
    assert {response.status_code for response in responses} == {200}
    await lock.release()
    async with asyncio.timeout(5):
        await bob.has("car.toy", build_toy("car"))
