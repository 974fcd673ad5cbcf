"""Users and their passwords."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from argon2 import PasswordHasher, extract_parameters
from entrepot.db.connection import database
from entrepot.db.sql import fetch, fetch_one
from entrepot.errors import Conflict, ValidationError
from entrepot.registry import Registry
from entrepot.services.users import count_users, create_user
from entrepot.settings import Settings
from ground import Ground

registry = Registry.of({})


@pytest.fixture(autouse=True)
async def open_database(tmp_path: Path, ground: Ground) -> AsyncIterator[None]:
    settings = Settings(data=ground.data(tmp_path / "data"))
    async with database(settings):
        yield


async def test_a_user_has_a_namespace_of_the_same_name_as_it_was_written() -> None:
    namespace = await create_user(registry, name="Alice", password=None, admin=False)
    assert (namespace["name"], namespace["name_key"], namespace["kind"]) == ("Alice", "alice", "user")
    assert await count_users() == 1


async def test_a_password_is_kept_as_argon2id_with_modest_memory() -> None:
    await create_user(registry, name="alice", password="correct horse", admin=False)
    [row] = await fetch('SELECT password_hash FROM "user"')
    assert PasswordHasher().verify(row["password_hash"], "correct horse")
    parameters = extract_parameters(row["password_hash"])
    assert (parameters.type.name, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == ("ID", 19456, 2, 1)


async def test_a_user_without_a_password_has_no_hash() -> None:
    await create_user(registry, name="robot", password=None, admin=True)
    [row] = await fetch('SELECT password_hash, is_admin FROM "user"')
    assert row["password_hash"] is None
    assert row["is_admin"]


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
async def test_a_password_that_is_too_short_or_too_long_makes_no_user(password: str) -> None:
    with pytest.raises(ValidationError, match="at least 8 characters"):
        await create_user(registry, name="alice", password=password, admin=False)
    assert await count_users() == 0


async def test_a_name_is_taken_in_whatever_case() -> None:
    await create_user(registry, name="alice", password=None, admin=False)
    with pytest.raises(Conflict, match="ALICE is taken"):
        await create_user(registry, name="ALICE", password=None, admin=False)
    assert await count_users() == 1
    assert len(await fetch("SELECT 1 FROM namespace")) == 1


async def test_of_many_who_take_one_name_at_once_one_gets_it() -> None:
    results = await asyncio.gather(*(create_user(registry, name="alice", password=None, admin=False) for _ in range(8)), return_exceptions=True)
    assert sorted(type(result) is Conflict for result in results) == [False] + [True] * 7
    assert await count_users() == 1


async def test_the_audit_log_tells_of_the_user_and_not_of_the_password() -> None:
    await create_user(registry, name="alice", password="correct horse", admin=True)
    event = await fetch_one("SELECT * FROM audit_event")
    assert event is not None
    assert (event["action"], event["subject"], event["actor"]) == ("user.create", "alice", "command line")
    assert orjson.loads(event["details"]) == {"admin": True, "password": True}
    assert "correct horse" not in str(dict(event))
