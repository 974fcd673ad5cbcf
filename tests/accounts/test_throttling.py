"""Guessing passwords takes longer and longer: per account and per address, whoever asks, however many ask at once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import anyio
import asyncpg
import httpx
import pytest
from anyio.lowlevel import checkpoint
from argon2 import PasswordHasher
from changes import ask
from entrepot.db.sql import execute, fetch
from entrepot.errors import TooManyRequests, Unavailable
from entrepot.http.errors import problem_of
from entrepot.services import accounts, throttle, users
from entrepot.services.passwords import AT_ONCE, MOST_WAITING, _work, hash_password, verify_password
from entrepot.services.throttle import FREE, LONGEST_PAUSE, network
from ground import Ground
from house import House, Person, sentence
from hypothesis import given
from hypothesis import strategies as st

from .conftest import PASSWORD, Visitor, passes, told, visitor

SECOND = 1 / 3600


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> None:
    """None here: a rush to log in is one because hashes take their time."""


def at(house: House, address: str, name: str = "alice") -> Visitor:
    """Somebody at another address."""
    transport = httpx.ASGITransport(house.app, raise_app_exceptions=False, client=(address, 1))
    return Visitor(httpx.AsyncClient(transport=transport, base_url=house.address), name)


async def pause(one: Visitor, password: str = "wrong") -> int:
    """For how many seconds somebody who tries now has to wait."""
    wanted = "__typename ... on TooManyRequestsError { message retryAfter }"
    query = f"mutation ($n: String!, $p: String!) {{ login(input: {{name: $n, password: $p}}) {{ {wanted} }} }}"
    result = (await ask(one.client, query, n=one.name, p=password))["data"]["login"]
    if result["__typename"] != "TooManyRequestsError":
        return 0
    assert result["message"] == f"There were too many attempts to log in. Try again in {result['retryAfter']} seconds."
    return int(result["retryAfter"])


async def test_five_guesses_are_free_and_then_the_pauses_double(anna: Visitor) -> None:
    for _ in range(5):
        assert await anna.guesses("wrong") == "PermissionDeniedError"
    for seconds in (5, 10, 20, 40, 80, 160, 320, 640, 900, 900):
        waits = await pause(anna)
        assert seconds - 2 <= waits <= seconds
        assert seconds - 2 <= await pause(anna) <= seconds  # asking during a pause does not lengthen it
        await passes(waits * SECOND)
        assert await anna.guesses("wrong") == "PermissionDeniedError"


async def test_during_a_pause_the_right_password_is_not_looked_at_either(anna: Visitor, hashes: list[str]) -> None:
    for _ in range(5):
        await anna.guesses("wrong")
    assert hashes == ["verify"] * 5
    assert await pause(anna, PASSWORD) > 0
    assert hashes == ["verify"] * 5
    await passes(5 * SECOND)
    await anna.logs_in()
    assert hashes == ["verify"] * 6


async def test_success_forgets_what_came_before_it(anna: Visitor) -> None:
    for _ in range(3):
        for _ in range(4):
            assert await anna.guesses("wrong") == "PermissionDeniedError"
        await anna.logs_in()


async def test_a_name_that_nobody_has_is_throttled_like_any_other(house: House, anna: Visitor, hashes: list[str]) -> None:
    ghost = visitor(house, "nobody")
    answers = [[await one.result("login", "viewer { name }", name=one.name, password="wrong") for _ in range(6)] for one in (anna, ghost)]
    for known, unknown in zip(*answers, strict=True):
        assert {**known, "message": ""} == {**unknown, "message": ""}
        assert re.sub(r"\d+", "N", known["message"]) == re.sub(r"\d+", "N", unknown["message"])
    assert hashes == ["verify"] * 10  # a name that nobody has costs as much


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
async def test_who_is_disabled_or_has_no_password_is_answered_like_a_wrong_password(
    house: House, bob: Person, anna: Visitor, hashes: list[str], right: bool
) -> None:
    await users.set_disabled(name="alice", disabled=True)
    password = PASSWORD if right else "wrong"
    for one in (anna, visitor(house, "bob"), visitor(house, "nobody")):
        result = await one.result("login", name=one.name, password=password)
        assert result == {"__typename": "PermissionDeniedError", "message": accounts.WRONG}
    assert hashes == ["verify"] * 3


async def test_a_hundred_guesses_at_once_are_a_hundred_and_not_one(house: House, anna: Visitor, hashes: list[str]) -> None:
    guessers = [visitor(house) for _ in range(100)]
    answers = Counter(await asyncio.gather(*(one.guesses(f"guess {number}") for number, one in enumerate(guessers))))
    assert answers["PermissionDeniedError"] == len(hashes)
    assert 1 <= len(hashes) <= 7
    assert answers["TooManyRequestsError"] == 100 - len(hashes)


async def test_a_hundred_guesses_from_a_hundred_addresses_at_once_are_no_more(house: House, anna: Visitor, hashes: list[str]) -> None:
    guessers = [at(house, f"192.0.2.{number}") for number in range(100)]
    await asyncio.gather(*(one.guesses("wrong") for one in guessers))
    assert 1 <= len(hashes) <= 7


async def test_one_address_guesses_twenty_times_whatever_the_names(house: House, hashes: list[str]) -> None:
    answers = [await visitor(house, f"user{number}").guesses("wrong") for number in range(30)]
    assert answers[:20] == ["PermissionDeniedError"] * 20
    assert set(answers[21:]) == {"TooManyRequestsError"}
    assert await at(house, "192.0.2.1", "user40").guesses("wrong") == "PermissionDeniedError"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("", "testclient", False),
        ("unix:", "unix:", True),
    ],
)
def test_of_ipv6_a_customer_counts_and_of_ipv4_an_address(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


@given(st.text(max_size=60))
def test_whatever_stands_for_an_address_is_counted(address: str) -> None:
    assert network(network(address)) == network(address)


async def test_a_stranger_cannot_keep_somebody_out_of_where_they_usually_are(house: House, anna: Visitor) -> None:
    home = at(house, "198.51.100.7")
    await home.logs_in()
    await home.result("logout")
    for number in range(12):
        stranger = at(house, f"203.0.113.{number}")
        await stranger.guesses("wrong")
    assert await pause(at(house, "203.0.113.99"), PASSWORD) > 0  # the account has a pause
    await home.logs_in()  # but not here


async def test_a_known_place_has_a_count_of_its_own(house: House, anna: Visitor) -> None:
    home = at(house, "198.51.100.7")
    await home.logs_in()
    for _ in range(5):
        assert await home.guesses("wrong") == "PermissionDeniedError"
    assert await pause(home, PASSWORD) > 0
    elsewhere = at(house, "203.0.113.1")
    assert await elsewhere.guesses("wrong") == "PermissionDeniedError"  # what is guessed at home tells nothing elsewhere
    await passes(91 * 24)
    assert await home.guesses("wrong") == "PermissionDeniedError"
    counts = await fetch("SELECT key FROM login_failure WHERE failures > 0 AND key LIKE 'account:%'")
    assert len(counts) == 1  # after ninety days it is a place like any other


async def test_logging_in_at_home_takes_back_no_guess_of_others_at_the_address(house: House, anna: Visitor) -> None:
    """Else whoever has an account guesses names without end: each login from a known place would give one attempt back."""
    await anna.logs_in()
    await visitor(house, "nobody").guesses("wrong")
    counts = "SELECT failures FROM login_failure WHERE key LIKE 'address:%'"
    [before] = await fetch(counts)
    await anna.logs_in()
    assert await fetch(counts) == [before]


async def test_one_failure_is_forgotten_per_hour(anna: Visitor) -> None:
    for _ in range(5):
        await anna.guesses("wrong")
    await passes(2.01)
    assert [await anna.guesses("wrong") for _ in range(3)] == ["PermissionDeniedError", "PermissionDeniedError", "TooManyRequestsError"]
    await passes(48)
    assert [await anna.guesses("wrong") for _ in range(5)] == ["PermissionDeniedError"] * 5


async def test_an_operator_who_sets_a_password_ends_the_pause(anna: Visitor) -> None:
    for _ in range(6):
        await anna.guesses("wrong")
    await users.set_password(name="alice", password="another horse")
    await anna.logs_in(password="another horse")


async def test_an_operator_who_sets_a_password_ends_the_pause_of_a_known_place_too(house: House, anna: Visitor) -> None:
    await users.create_user(house.site.registry, name="bob", password=PASSWORD, admin=False)
    await at(house, "127.0.0.1", "bob").logs_in()
    await anna.logs_in()
    for _ in range(5):
        await anna.guesses("wrong")
    assert await pause(anna, PASSWORD) > 0
    await users.set_password(name="Alice", password="another horse")
    await anna.logs_in(password="another horse")
    assert len(await fetch("SELECT key FROM login_failure WHERE key LIKE 'known:%'")) == 2  # bob's, and the one from where she logs in


async def test_another_password_makes_all_other_places_strange(house: House, anna: Visitor) -> None:
    """Who had the old password was perhaps there."""
    await at(house, "198.51.100.7").logs_in()
    await anna.logs_in()
    known = "SELECT key FROM login_failure WHERE key LIKE 'known:%'"
    assert len(await fetch(known)) == 2
    await anna.result("changePassword", oldPassword=PASSWORD, newPassword="another horse")
    [left] = await fetch(known)
    for _ in range(6):
        await at(house, "203.0.113.1").guesses("wrong")
    assert await pause(at(house, "198.51.100.7"), "another horse") > 0
    await anna.logs_in(password="another horse")
    assert await fetch(known) == [left]


async def busy(rush: Coroutine[Any, Any, Any]) -> Any:
    """What comes of an attempt while as many passwords wait for their turn as may."""
    crowd = [asyncio.create_task(verify_password(None, "x")) for _ in range(MOST_WAITING + AT_ONCE)]
    while _work._waiting < MOST_WAITING + AT_ONCE:
        await checkpoint()
    try:
        return await asyncio.create_task(rush)
    finally:
        for one in crowd:
            one.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)


async def test_an_attempt_that_nobody_has_looked_at_is_no_failure(anna: Visitor) -> None:
    for _ in range(5):
        await anna.guesses("wrong")
    await passes(6 * SECOND)
    before = await fetch("SELECT key, failures, last_at FROM login_failure ORDER BY key")
    query = f'mutation {{ login(input: {{name: "alice", password: "{PASSWORD}"}}) {{ __typename }} }}'
    answer = await busy(ask(anna.client, query))
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert await fetch("SELECT key, failures, last_at FROM login_failure ORDER BY key") == before
    await anna.logs_in()  # at once: no pause has begun


async def test_a_right_password_that_waits_in_vain_to_be_hashed_anew_is_no_failure(anna: Visitor) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await execute('UPDATE "user" SET password_hash = $1', weak)
    attempt = await throttle.attempt(name="alice", address="127.0.0.1")
    with pytest.raises(Unavailable):
        await busy(accounts._hashed(hash_password(PASSWORD), attempt.counted))
    assert {row["failures"] for row in await fetch("SELECT failures FROM login_failure")} == {0}


async def test_of_what_is_taken_back_others_attempts_stay(anna: Visitor) -> None:
    first = await throttle.attempt(name="alice", address="127.0.0.1")
    await throttle.attempt(name="alice", address="198.51.100.7")
    await throttle.take_back(first.counted)
    counts = await fetch("SELECT key, failures FROM login_failure ORDER BY key")
    assert [(row["key"].partition(":")[0], row["failures"]) for row in counts] in (
        [("account", 1), ("address", 0), ("address", 1)],
        [("account", 1), ("address", 1), ("address", 0)],
    )


async def test_a_count_that_goes_while_an_attempt_is_counted_is_begun_anew(house: House, anna: Visitor, ground: Ground) -> None:
    """One attempt succeeds, and takes the account's count away, between two statements of another one: on SQLite they take turns."""
    await throttle.attempt(name="alice", address="198.51.100.1")
    if ground.is_folder:
        await throttle.forget(name="alice")
        assert (await throttle.attempt(name="alice", address="198.51.100.1")).failures == 1
        return
    one, other = [await asyncpg.connect(ground.environment["ENTREPOT_DATABASE_URL"]) for _ in range(2)]
    try:
        await one.execute("BEGIN")
        assert await one.execute("DELETE FROM login_failure WHERE key LIKE 'address:%'") == "DELETE 1"  # which is locked behind the account's
        counted = asyncio.create_task(throttle.attempt(name="alice", address="198.51.100.1"))
        await waiting(1)
        gone = asyncio.create_task(other.execute("DELETE FROM login_failure WHERE key LIKE 'account:%'"))
        await waiting(2, gone)
        await one.execute("COMMIT")
        assert (await counted).failures == 2
        assert await gone == "DELETE 1"
    finally:
        for connection in (one, other):
            await connection.close()


async def waiting(count: int, done: asyncio.Task[Any] | None = None) -> None:
    """Until so many sessions wait for a lock, or the task is done."""
    statement = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with anyio.fail_after(20):
        while not (done and done.done()) and (row := (await fetch(statement))[0]) and row["n"] < count:
            await checkpoint()


async def test_the_old_password_of_a_change_is_guessed_no_faster(anna: Visitor, hashes: list[str]) -> None:
    await anna.logs_in()
    results = [await anna.result("changePassword", oldPassword="wrong", newPassword="another horse") for _ in range(7)]
    assert [result["__typename"] for result in results] == ["PermissionDeniedError"] * 5 + ["TooManyRequestsError"] * 2
    assert hashes == ["verify"] * 6


async def test_the_audit_log_tells_of_each_pause_once_and_of_no_name_that_nobody_has(house: House, anna: Visitor) -> None:
    for _ in range(20):
        await anna.guesses("wrong")
        await visitor(house, "my password in the wrong field").guesses("wrong")
    assert await told("session.fail") == [("", "alice", "127.0.0.1")]
    await passes(5 * SECOND)
    for _ in range(5):
        await anna.guesses("wrong")
    assert len(await told("session.fail")) == 2
    rows = [str(dict(row)) for table in ("audit_event", "login_failure") for row in await fetch(f"SELECT * FROM {table}")]
    assert "wrong field" not in " ".join(rows)


async def test_counts_outlive_the_process(house: House, anna: Visitor) -> None:
    """All of it is in the database: what another process asks there is what this one counted."""
    for _ in range(5):
        await anna.guesses("wrong")
    with pytest.raises(TooManyRequests) as refusal:
        await throttle.attempt(name="ALICE", address="127.0.0.1")
    assert 0 < refusal.value.retry_after <= 5


async def test_over_http_the_pause_is_a_429_with_the_seconds() -> None:
    answer = problem_of(TooManyRequests("Wait a little.", retry_after=7))
    assert answer.headers["retry-after"] == "7"
    assert sentence(httpx.Response(answer.status_code, headers=dict(answer.headers), content=bytes(answer.body)), 429) == "Wait a little."


@given(failures=st.integers(0, 10_000_000), kind=st.sampled_from(sorted(FREE)))
def test_no_pause_is_longer_than_a_quarter_of_an_hour_and_none_shorter_than_the_one_before(failures: int, kind: str) -> None:
    before, after = throttle._pause(f"{kind}:x", failures), throttle._pause(f"{kind}:x", failures + 1)
    assert 0 <= before <= after <= LONGEST_PAUSE == 900_000
    assert (after == 0) == (failures + 1 < FREE[kind])
