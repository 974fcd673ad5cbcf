"""Passwords: where they are taken, where they are refused without a look, and what cannot be one."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading
from typing import Any

import pytest
from argon2 import PasswordHasher
from changes import ask
from entrepot.db.sql import execute, fetch, transaction
from entrepot.errors import Unavailable, ValidationError
from entrepot.services import passwords
from entrepot.services.namespaces import add_namespace
from entrepot.services.passwords import AT_ONCE, MOST_WAITING, check_password, hash_password, outdated, verify_password
from entrepot.services.users import set_password
from house import House, Person, sentence
from hypothesis import given
from hypothesis import strategies as st
from toy import build_toy

from .conftest import PASSWORD, Visitor, visitor


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/toy/alice/listing"),
        ("GET", "/toy/alice/page/ball"),
        ("GET", "/toy/alice/files/ball.toy"),
        ("HEAD", "/toy/alice/files/ball.toy"),
        ("PUT", "/upload/alice/ball-2.toy"),
        ("POST", "/graphql"),
        ("GET", "/graphql?query={viewer{name}}"),
    ],
)
async def test_a_password_over_basic_is_refused_without_a_look_at_it(
    house: House, alice: Person, anna: Visitor, hashes: list[str], method: str, url: str
) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    for user, password in (("alice", PASSWORD), ("alice", "wrong"), (PASSWORD, "alice"), ("nobody", PASSWORD)):
        answer = await house.anyone.request(method, url, headers=basic(user, password), content=b"{}")
        assert answer.status_code == 401
        assert PASSWORD not in answer.text
    assert hashes == []
    assert await fetch("SELECT key FROM login_failure") == []
    await anna.logs_in()
    assert hashes == ["verify"]


async def test_a_bearer_password_is_refused_without_a_look_at_it_too(house: House, anna: Visitor, hashes: list[str]) -> None:
    for headers in ({"Authorization": f"Bearer {PASSWORD}"}, {"X-API-Key": PASSWORD}, {"Cookie": f"entrepot_session={PASSWORD}"}):
        await house.anyone.get("/toy/alice/listing", headers=headers)
        await house.anyone.get(f"/t/{PASSWORD}/toy/alice/listing")
    assert hashes == []


@pytest.mark.parametrize(
    "password", ["", "short", "1234567", "x" * 1025, "x" * 500_000, "Alice", "ALICE"], ids=lambda text: f"{text[:5]} {len(text)}"
)
async def test_what_can_be_no_password_is_refused_where_it_is_set(anna: Visitor, hashes: list[str], password: str) -> None:
    with pytest.raises(ValidationError):
        await set_password(name="alice", password=password)
    assert hashes == []
    await anna.logs_in()


@pytest.mark.parametrize("name", ["longname1", "LONGNAME1"])
def test_a_password_is_not_the_name_in_whatever_case(name: str) -> None:
    with pytest.raises(ValidationError, match="not be the user's name"):
        check_password("LongName1", name=name)
    check_password("LongName12", name=name)


def test_half_a_character_is_no_part_of_a_password() -> None:
    with pytest.raises(ValidationError, match="half a character"):
        check_password("correct\ud800horse", name="alice")


STRANGE = {
    "spaces": "  a password with spaces  ",
    "nul": "before\0after",
    "line ends": "two\nlines\r\n",
    "emoji": "\U0001f40e\U0001f40e\U0001f40e\U0001f40e correct",
    "letters of many kinds": "пароль-密码-كلمة",
    "the longest": "x" * 1024,
    "quotes": "\"'\\;--{}$",
    "separators": "name:password:x",
}


@pytest.mark.parametrize("password", STRANGE.values(), ids=STRANGE)
async def test_a_password_may_hold_anything(house: House, alice: Person, password: str) -> None:
    await set_password(name="alice", password=password)
    one = visitor(house)
    await one.logs_in(password=password)
    other = visitor(house)
    assert await other.guesses(password[:-1]) == "PermissionDeniedError"
    assert await other.guesses(password + " ") == "PermissionDeniedError"
    assert await other.guesses(password.split("\0")[0].strip() + "!") == "PermissionDeniedError"


async def test_a_password_is_the_same_however_a_keyboard_composes_it(house: House, alice: Person) -> None:
    await set_password(name="alice", password="caf\u00e9 au lait")
    await visitor(house).logs_in(password="cafe\u0301 au lait")


HOSTILE = {
    "half a megabyte": "x" * 500_000,
    "half a megabyte of marks": "e" + "\u0301" * 250_000,
    "nothing": "",
    "nul": "\0",
    "a hash": "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA",
}


@pytest.mark.parametrize("password", HOSTILE.values(), ids=HOSTILE)
async def test_a_guess_that_can_be_no_password_is_a_wrong_one(house: House, anna: Visitor, hashes: list[str], password: str) -> None:
    assert await anna.guesses(password) == "PermissionDeniedError"
    assert hashes == ["verify"]
    await anna.logs_in()


NAMES = {
    "empty": "",
    "nul": "alice\0",
    "space": "alice ",
    "long": "a" * 500_000,
    "unicode": "аlice",
    "kelvin": "Kelvin",
    "sql": "alice' OR 'x'='x",
    "like": "al%",
    "path": "../alice",
    "line": "alice\n",
    "dots": "..",
    "organization": "guild",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_a_name_that_nobody_can_have_is_a_wrong_one(house: House, anna: Visitor, hashes: list[str], name: str) -> None:
    async with transaction():
        await add_namespace(name="guild", kind="organization")
    result = await anna.result("login", name=name, password=PASSWORD)
    assert result["__typename"] == "PermissionDeniedError"
    assert hashes == ["verify"]
    assert await anna.whoami() is None


async def test_half_a_character_in_a_query_breaks_nothing(house: House, anna: Visitor) -> None:
    answer = await ask(anna.client, r'mutation { login(input: {name: "a\ud800", password: "\ud800 and more"}) { __typename } }')
    assert "errors" in answer or answer["data"]["login"]["__typename"] == "PermissionDeniedError"
    assert "INTERNAL" not in str(answer)


async def test_a_hash_of_other_parameters_is_replaced_at_the_next_login(house: House, anna: Visitor) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    assert outdated(weak)
    await execute('UPDATE "user" SET password_hash = $1', weak)
    assert await anna.guesses("wrong") == "PermissionDeniedError"
    [row] = await fetch('SELECT password_hash FROM "user"')
    assert row["password_hash"] == weak
    await anna.logs_in()
    [row] = await fetch('SELECT password_hash FROM "user"')
    assert not outdated(row["password_hash"])
    await visitor(house).logs_in()


@pytest.mark.parametrize("stored", ["", "plain text", "$argon2id$", "$2b$12$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"])
async def test_what_is_no_hash_of_argon2_opens_nothing(anna: Visitor, stored: str) -> None:
    await execute('UPDATE "user" SET password_hash = $1', stored)
    assert await anna.guesses(PASSWORD) == "PermissionDeniedError"
    assert await anna.guesses(stored) == "PermissionDeniedError"


async def test_no_password_is_the_one_of_nobody() -> None:
    for password in ("", "x", passwords._nobodys):
        assert not await verify_password(None, password)
    assert await verify_password(await hash_password("12345678"), "12345678")


@given(st.text(min_size=8, max_size=40))
def test_only_the_same_password_fits(password: str) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    stored = quick.hash(passwords._bytes(password))
    assert passwords._verify(stored, passwords._bytes(password))
    assert not passwords._verify(stored, passwords._bytes(password + "x"))


async def test_a_rush_to_log_in_hashes_two_at_once_and_turns_away_what_would_wait_too_long() -> None:
    stored = await hash_password(PASSWORD)

    rush = (verify_password(stored, PASSWORD) for _ in range(MOST_WAITING + AT_ONCE + 10))
    found = await asyncio.gather(*rush, return_exceptions=True)
    assert [one.message for one in found if isinstance(one, Unavailable)] == ["Too many are logging in just now. Try again in a moment."] * 10
    assert found.count(True) == MOST_WAITING + AT_ONCE
    assert await verify_password(stored, PASSWORD)
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("password")]) <= AT_ONCE


async def test_no_password_is_in_a_log_line_or_an_error(house: House, anna: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "hunter2-of-alice"
    wrong: list[dict[str, Any]] = [
        {"query": "mutation ($input: LoginInput!) { login(input: $input) { __typename } }", "variables": {"input": {"name": "alice", **extra}}}
        for extra in (
            {"password": secret, "more": 1},
            {"password": [secret]},
            {"password": {"x": secret}},
            {"passwort": secret},
            {"password": secret * 100, "x": 1},
            {"password": secret},
        )
    ]
    wrong += [
        {"query": f"mutation {{ login(input: {{{field}}}) {{ __typename }} }}"}
        for field in (
            f'name: "alice", password: {secret}',
            f'name: "alice", password: {{x: "{secret}"}}',
            f'name: "alice", password "{secret}"',
            f'name: "alice", password: ["{secret}"]',
            f'name: {secret}, password: "x"',
            f'password: "{secret}"',
            f'name: "alice", password: "{secret}"}}) {{ __typename }} }} {secret} {{ a(b: {{',
            f'name: "alice", password: "{secret}"}}) {{ __typename }} }} "{secret}" {{ a(b: {{',
            f'name: "alice", password: "{secret}"',
        )
    ]
    wrong += [
        {"query": query}
        for query in (
            f"mutation {{ login(input: {{name: 'alice', password: '{secret}'}}) {{ __typename }} }}",
            f'mutation {{ login(input: {{name: "alice", password: ${secret.replace("-", "_")}}}) {{ __typename }} }}',
            f'mutation {{ login(input: {{name: "alice", {secret.replace("-", "_")}: "x"}}) {{ __typename }} }}',
            f"mutation {{ login({secret.replace('-', '_')}: 1) {{ __typename }} }}",
            f'mutation {{ login(input: {{name: "alice", password: "x"}}) {{ {secret.replace("-", "_")} }} }}',
            f'mutation {{ login(input: {{name: "alice", password: "x"}}) {{ ...{secret.replace("-", "_")} }} }}',
            f'mutation {{ login(input: {{name: "alice", password: "x"}}) @{secret.replace("-", "_")} {{ __typename }} }}',
            f'mutation {{ {secret.replace("-", "_")}: login(input: {{name: "alice"}}) {{ __typename }} }}',
            f'mutation ($x: {secret.replace("-", "_")}) {{ login(input: {{name: "alice", password: $x}}) {{ __typename }} }}',
            f'mutation {{ x: login(input: {{name: "a", password: "{secret}"}}) {{ a: __typename }} x: login {{ a: viewer }} }}',
        )
    ]
    wrong += [
        {"query": "mutation ($input: LoginInput!) { login(input: $input) { __typename } }", "variables": {"input": given}}
        for given in (secret, [secret], {"name": "alice", "password": "x", secret: 1}, {"name": {"x": secret}, "password": "x"})
    ]
    wrong += [{"query": "mutation ($p: Int!) { login(input: {name: $p, password: $p}) { __typename } }", "variables": {"p": secret}}]
    wrong += [{"query": "mutation ($p: String!) { login(input: {name: $p, password: $p}) { __typename } }", "variables": {"p": {"x": secret}}}]
    for question in wrong:
        answer = await anna.client.post("/graphql", json=question)
        assert "hunter2" not in answer.text, answer.text
    assert "hunter2" not in caplog.text
    rows = [str(dict(row)) for table in ("audit_event", "login_failure", "session") for row in await fetch(f"SELECT * FROM {table}")]
    assert "hunter2" not in " ".join(rows)


async def test_an_error_about_a_value_still_says_where(anna: Visitor) -> None:
    answer = await ask(anna.client, 'mutation { login(input: {name: "a", password: 5}) { __typename } }')
    [error] = answer["errors"]
    assert "the request may hold a password" in error["message"]
    assert error["locations"] == [{"line": 1, "column": 47}]
    missing = await ask(anna.client, 'mutation { login(input: {name: "a"}) { __typename } }')
    assert missing["errors"] == [{"message": error["message"], "locations": [{"line": 1, "column": 25}], "extensions": {"code": "BAD_REQUEST"}}]


async def test_guesses_over_a_name_of_basic_are_a_sentence(house: House, anna: Visitor) -> None:
    assert "entrepot token create" in sentence(await house.anyone.get("/toy/alice/listing", headers=basic("alice", PASSWORD)), 401)
