"""On SQLite the hot path's look-ups remember, and are never older than the last commit of anybody."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from entrepot.db.lookup import PRIVATE, REMEMBERED, SqliteLookup
from entrepot.errors import Unavailable
from ground import Ground, laid

ADD = "INSERT INTO namespace (uuid, name, name_key, kind, display_name, description, replace, created_at) VALUES (?1, ?1, ?1, 'user', '', '', '', 0)"
FROM_OUTSIDE = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2], (sys.argv[3],)); c.commit()"


@pytest.fixture
def ground() -> Iterator[Ground]:
    """SQLite: that is what these tests are about."""
    with laid("folder") as ground:
        yield ground


@pytest.fixture
def path(house_data: Path) -> Path:
    return house_data / "entrepot.sqlite3"


@pytest.fixture
def lookup(path: Path) -> Iterator[SqliteLookup]:
    found = SqliteLookup(path)
    yield found
    found.close()


async def test_every_commit_is_seen_by_the_next_look_up(lookup: SqliteLookup, path: Path) -> None:
    writer = sqlite3.connect(path, isolation_level=None)
    for number in range(200):
        name = f"n{number}"
        assert await lookup.namespace(name) is None
        assert await lookup.namespace(name) is None  # remembered: also what is not there
        writer.execute(ADD, (name,))
        assert (await lookup.namespace(name)) is not None
        if number % 2:
            writer.execute("DELETE FROM namespace WHERE name = ?", (name,))
            assert await lookup.namespace(name) is None
    writer.close()


async def test_a_commit_of_another_process_is_seen_by_the_next_look_up(lookup: SqliteLookup, path: Path) -> None:
    for number in range(3):
        assert await lookup.namespace(f"n{number}") is None
        await anyio.run_process([sys.executable, "-c", FROM_OUTSIDE, str(path), ADD, f"n{number}"])
        assert await lookup.namespace(f"n{number}") is not None


async def test_what_is_not_committed_is_not_seen(lookup: SqliteLookup, path: Path) -> None:
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute(ADD, ("open",))
    assert await lookup.namespace("open") is None
    writer.execute("COMMIT")
    assert await lookup.namespace("open") is not None
    writer.close()


async def test_what_is_remembered_is_bounded(lookup: SqliteLookup) -> None:
    for number in range(REMEMBERED + 10):
        await lookup.namespace(str(number))
    assert len(lookup._found) <= REMEMBERED


async def test_long_names_are_not_remembered(lookup: SqliteLookup) -> None:
    assert await lookup.namespace("n" * 50_000) is None
    assert not lookup._found


async def test_a_database_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        await SqliteLookup(tmp_path / "empty.sqlite3").namespace("alice")


async def test_private_packages_are_found_without_looking_at_the_others(path: Path) -> None:
    with sqlite3.connect(path) as reader:
        plan = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {PRIVATE}", (1,))]
    assert len(plan) == 1
    assert "USING INDEX package_private" in plan[0]
