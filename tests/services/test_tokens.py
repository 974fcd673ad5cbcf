"""Tokens: secrets, scopes, lifetimes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from entrepot.clock import now
from entrepot.db.connection import database
from entrepot.db.sql import execute, fetch
from entrepot.errors import NotFound, PermissionDenied, ValidationError
from entrepot.registry import Registry
from entrepot.services.tokens import create_token, digest_of, new_secret, parse_lifetime
from entrepot.services.users import create_user
from entrepot.settings import Settings
from ground import Ground
from hypothesis import given
from hypothesis import strategies as st

registry = Registry.of({})
DAY = 86_400_000
with_alice = pytest.mark.usefixtures("alice")


@pytest.fixture
async def alice(tmp_path: Path, ground: Ground) -> AsyncIterator[None]:
    settings = Settings(data=ground.data(tmp_path / "data"))
    async with database(settings):
        await create_user(registry, name="Alice", password=None, admin=False)
        yield


def test_a_secret_is_letters_digits_and_dashes_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(200)}
    assert len(secrets) == 200
    assert all(re.fullmatch(r"ent-[A-Za-z0-9]{40}", secret) for secret in secrets)


@with_alice
async def test_only_the_digest_of_a_token_is_stored() -> None:
    secret = await create_token(registry, owner="alice", name="laptop")
    [row] = await fetch("SELECT * FROM token")
    assert row["digest"] == digest_of(secret)
    assert (row["name"], row["scopes"], row["revoked_at"]) == ("laptop", "all", None)
    for table in ("token", "audit_event", "namespace"):
        assert secret not in str([dict(each) for each in await fetch(f"SELECT * FROM {table}")])


@with_alice
async def test_a_token_lives_for_a_year_unless_told_otherwise() -> None:
    await create_token(registry, owner="alice", name="default")
    await create_token(registry, owner="alice", name="short", expires_in=timedelta(days=30))
    await create_token(registry, owner="alice", name="endless", expires_in=None)
    lifetimes = {row["name"]: row["expires_at"] and row["expires_at"] - row["created_at"] for row in await fetch("SELECT * FROM token")}
    assert lifetimes == {"default": 365 * DAY, "short": 30 * DAY, "endless": None}
    [row] = await fetch("SELECT created_at FROM token WHERE name = 'default'")
    assert abs(row["created_at"] - now()) < DAY


@with_alice
async def test_scopes_are_kept_once_and_in_order() -> None:
    await create_token(registry, owner="alice", name="ci", scopes=["repos", "api:read", "repos"])
    [row] = await fetch("SELECT scopes FROM token")
    assert row["scopes"] == "repos api:read"


@with_alice
@pytest.mark.parametrize("scopes", [["everything"], ["all", "ALL"], ["repos api"], [""], []])
async def test_a_scope_that_does_not_exist_is_refused_with_those_that_do(scopes: list[str]) -> None:
    with pytest.raises(ValidationError, match="There are: all, api, api:read, api:write, repos"):
        await create_token(registry, owner="alice", name="ci", scopes=scopes)
    assert await fetch("SELECT 1 FROM token") == []


@with_alice
@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\nb", "\x1b[31m"])
async def test_a_token_needs_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(ValidationError, match="needs a name"):
        await create_token(registry, owner="alice", name=name)


@with_alice
@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=-1), timedelta(days=40_000)])
async def test_a_lifetime_of_no_time_or_of_ages_is_refused(lifetime: timedelta) -> None:
    with pytest.raises(ValidationError, match="at most 100 years"):
        await create_token(registry, owner="alice", name="ci", expires_in=lifetime)


@with_alice
async def test_nobody_unknown_gets_a_token() -> None:
    with pytest.raises(NotFound, match="entrepot user create bob"):
        await create_token(registry, owner="bob", name="ci")


@with_alice
async def test_a_disabled_user_gets_no_token() -> None:
    await execute('UPDATE "user" SET disabled_at = $1', now())
    with pytest.raises(PermissionDenied, match="Alice is disabled"):
        await create_token(registry, owner="alice", name="ci")
    assert await fetch("SELECT 1 FROM token") == []


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        ("1Y", timedelta(days=365)),
        ("never", None),
        (" Never ", None),
    ],
)
def test_a_lifetime_is_a_number_and_a_unit_or_never(text: str, lifetime: timedelta | None) -> None:
    assert parse_lifetime(text) == lifetime


@given(st.text())
def test_any_other_text_is_no_lifetime(text: str) -> None:
    try:
        lifetime = parse_lifetime(text)
    except ValidationError as error:
        assert "12h, 30d" in error.message  # noqa: PT017
    else:
        assert lifetime is None or timedelta(0) <= lifetime <= timedelta(days=36_501)


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "1e3d", "30 d", "٣d", "30dd", "9999999d", "99999999999999y"])
def test_near_misses_are_refused_with_examples(text: str) -> None:
    with pytest.raises(ValidationError, match="90m, 12h, 30d"):
        parse_lifetime(text)
