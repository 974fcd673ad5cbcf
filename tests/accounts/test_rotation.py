"""The secret of a session is replaced daily, and nobody is logged out by it, whatever comes at once or never arrives."""

from __future__ import annotations

import asyncio

import asyncpg
from changes import mutation
from entrepot.db import lookup, postgres_lookup
from entrepot.db.lookup import SqliteLookup
from entrepot.db.postgres import session
from entrepot.db.sql import fetch
from entrepot.http.authentication import recorded
from entrepot.services.tokens import digest_of
from ground import Ground
from house import House

from .conftest import PASSWORD, Visitor, passes

MINUTE = 1 / 60


async def goes_on(one: Visitor) -> None:
    """Come once more, which settles what secret there is."""
    assert await one.whoami() == "alice"
    await recorded()


async def test_after_a_day_a_session_goes_on_with_another_secret_and_the_old_one_ends(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    first, thief, [before] = anna.secret, anna.again(house), await anna.seen()
    await passes(23.9)
    await goes_on(anna)
    assert anna.secret == first
    await passes(0.2)
    await goes_on(anna)
    assert anna.secret not in ("", first)
    [row] = await fetch("SELECT digest, previous_digest FROM session")
    assert (row["digest"], row["previous_digest"]) == (digest_of(anna.secret), digest_of(first))
    await goes_on(anna)
    assert await thief.whoami() == "alice"  # a request under way comes with the old one
    await passes(1.1 * MINUTE)
    assert await thief.whoami() is None
    assert thief.secret == first
    assert await anna.whoami() == "alice"
    assert [one["id"] for one in await anna.seen()] == [before["id"]]


async def test_of_many_requests_at_once_one_gets_another_secret_and_all_are_answered(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    await passes(25)
    tabs = [anna.again(house) for _ in range(8)]
    first = anna.secret
    assert await asyncio.gather(*(tab.whoami() for tab in tabs)) == ["alice"] * 8
    new = [tab for tab in tabs if tab.secret != first]
    assert len(new) == 1
    await goes_on(new[0])
    assert await asyncio.gather(*(tab.whoami() for tab in tabs)) == ["alice"] * 8
    assert [tab.secret for tab in tabs].count(first) == 7  # nothing takes the place of the secret that is in use
    await passes(1.1 * MINUTE)
    assert [await tab.whoami() for tab in tabs].count("alice") == 1
    assert await new[0].whoami() == "alice"


async def test_an_answer_that_never_arrived_logs_nobody_out(house: House, anna: Visitor) -> None:
    """Nor does a program that sends one cookie for ever."""
    await anna.logs_in()
    await passes(25)
    old = anna.again(house)
    await goes_on(anna)
    for hours in (1, 20):
        await passes(hours)
        kept = old.secret
        await goes_on(old)
        assert old.secret == kept  # another one is under way
    await passes(4)
    await goes_on(old)
    assert old.secret not in (anna.secret, kept)
    await goes_on(old)
    assert await anna.whoami() is None  # the one that was lost
    assert await old.whoami() == "alice"


async def test_a_page_hands_no_secret_out_and_is_a_use_of_one(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    await passes(25)
    first = anna.again(house)
    assert "set-cookie" not in (await anna.client.get("/toy/alice/listing")).headers
    assert "set-cookie" not in (await anna.client.get("/graphql", params={"query": "{ viewer { name } }"}, headers={"origin": "null"})).headers
    await goes_on(anna)
    await anna.client.get("/toy/alice/listing")
    await recorded()
    await passes(1.1 * MINUTE)
    assert await first.whoami() is None


async def test_who_comes_with_the_old_secret_logs_out_and_changes_the_password_all_the_same(house: House, anna: Visitor) -> None:
    for name, input in (("logout", {}), ("login", {"name": "alice", "password": PASSWORD}), ("logout", {"everywhere": True})):
        await anna.logs_in()
        await passes(25)
        old = anna.again(house)
        await goes_on(anna)
        await goes_on(anna)
        assert (await old.result(name, **input))["__typename"].endswith("Payload")
        assert await anna.whoami() is None
        assert len(await fetch("SELECT id FROM session")) == (name == "login")
    await anna.logs_in()
    await passes(25)
    answer = await anna.client.post(
        "/graphql",
        json={"query": mutation("changePassword"), "variables": {"input": {"oldPassword": PASSWORD, "newPassword": "another horse"}}},
    )
    assert answer.json()["data"]["result"]["__typename"] == "ChangePasswordPayload"
    assert await anna.whoami() == "alice"


async def test_a_secret_that_has_ended_ends_no_session(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    await passes(25)
    old = anna.again(house)
    await goes_on(anna)
    await goes_on(anna)
    await passes(1.1 * MINUTE)
    assert await old.result("logout", "ended") == {"__typename": "LogoutPayload", "ended": 0}
    assert await anna.whoami() == "alice"


async def test_another_secret_lengthens_nothing(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    for _ in range(9):
        await passes(9.9 * 24)
        await goes_on(anna)
    await passes(24)
    assert await anna.whoami() is None


async def test_two_servers_agree_on_the_secrets(house: House, anna: Visitor, ground: Ground) -> None:
    """Nothing of it is in a process: another look-up, which has seen the session before, knows the same."""
    await anna.logs_in()
    await passes(25)
    first = anna.secret
    made = house.site.lookup
    other = SqliteLookup(house.site.settings.data / "entrepot.sqlite3") if ground.is_folder else _postgres_lookup(ground)
    try:
        assert await other.session(digest_of(first)) == await made.session(digest_of(first))
        await goes_on(anna)
        for digest in (digest_of(first), digest_of(anna.secret)):
            row = await other.session(digest)
            assert row is not None
            assert row == await made.session(digest)
            assert bool(row.unused) is (digest != digest_of(first))
        await goes_on(anna)
        row = await other.session(digest_of(first))
        assert row is not None
        assert row.expires_at is not None
        [stored] = await fetch("SELECT rotated_at FROM session")
        assert row.expires_at == stored["rotated_at"] + 60_000
    finally:
        other.close()


def _postgres_lookup(ground: Ground) -> postgres_lookup.PostgresLookup:
    return postgres_lookup.PostgresLookup(ground.environment["ENTREPOT_DATABASE_URL"])


async def test_both_secrets_are_found_by_an_index(house: House, anna: Visitor, ground: Ground) -> None:
    await anna.logs_in()
    if ground.is_folder:
        found = house.site.lookup
        assert isinstance(found, SqliteLookup)
        plan = [row[3] for row in found._connection.execute(f"EXPLAIN QUERY PLAN {lookup._SESSION}", ("x",))]
        reads = [line for line in plan if line.split()[1] == "session"]
        assert len(reads) == 2, plan
        assert all(line.startswith("SEARCH session USING INDEX") for line in reads), plan
        return
    url = ground.environment["ENTREPOT_DATABASE_URL"]
    connection = await asyncpg.connect(url, server_settings=session(url, postgres_lookup.SETTINGS))
    try:
        rows = await connection.fetch(f"EXPLAIN {postgres_lookup.SESSION.batched()}", ["x"])
    finally:
        await connection.close()
    plan = [row[0].strip() for row in rows]
    assert not [line for line in plan if "Seq Scan on session" in line], plan
    assert len([line for line in plan if line.startswith(("Index Cond: ((digest)", "Index Cond: ((previous_digest)"))]) == 2, plan
