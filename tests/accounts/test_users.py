"""Who makes accounts and ends them: administrators, and where the site lets them, people themselves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from changes import change, done, look, refused, stopped
from entrepot.db.sql import execute, fetch
from entrepot.registry import Registry
from entrepot.services.users import set_disabled, set_password
from ground import Ground
from house import House, Person, open_house
from toy import ToyPlugin, build_toy

from .conftest import PASSWORD, Visitor, told, visitor


@pytest.fixture
async def root(house: House) -> Person:
    """An administrator."""
    return await house.person("root", admin=True)


@pytest.fixture
async def open_site(tmp_path: Path, ground: Ground) -> AsyncIterator[House]:
    """A house where everybody may register."""
    async with open_house(ground.data(tmp_path / "open"), Registry.of({"toy": ToyPlugin()}), registration=True) as house:
        yield house


async def test_an_administrator_creates_a_user_who_logs_in(house: House, root: Person) -> None:
    made = await done(root.client, "createUser", {"name": "Carol", "password": PASSWORD}, "user { name viewerPermission }")
    assert made == {"user": {"name": "Carol", "viewerPermission": "ADMIN"}}
    carol = visitor(house, "Carol")
    await carol.logs_in("carol")
    assert (await change(carol.client, "createUser", {"name": "dave"}))["__typename"] == "PermissionDeniedError"
    assert [event[:2] for event in await told("user.create")][-1] == ("root", "Carol")
    [row] = await fetch("SELECT details, token_id FROM audit_event WHERE subject = 'Carol' AND action = 'user.create'")
    assert orjson.loads(row["details"]) == {"admin": False, "password": True}
    assert row["token_id"] is not None


async def test_an_administrator_who_is_logged_in_creates_administrators(house: House, root: Person) -> None:
    await set_password(name="root", password=PASSWORD)
    one = visitor(house, "root")
    await one.logs_in()
    await done(one.client, "createUser", {"name": "second", "password": PASSWORD, "admin": True})
    second = visitor(house, "second")
    await second.logs_in()
    await done(second.client, "createUser", {"name": "third"})


async def test_a_token_that_is_not_for_everything_makes_nobody_an_administrator(house: House, root: Person) -> None:
    """Else it would widen itself, for ever: whoever is made so may do everything."""
    narrow = await root.scoped("api")
    kind, message = await refused(narrow, "createUser", {"name": "eve", "password": PASSWORD, "admin": True})
    assert (kind, "the scope: all" in message) == ("PermissionDeniedError", True)
    await done(narrow, "createUser", {"name": "eve", "password": PASSWORD})
    await done(root.client, "createUser", {"name": "second", "password": PASSWORD, "admin": True})
    rows = await fetch('SELECT namespace.name FROM "user" JOIN namespace ON namespace.id = "user".namespace_id WHERE is_admin ORDER BY namespace.id')
    assert [row["name"] for row in rows] == ["root", "second"]


async def test_only_administrators_create_disable_and_enable_users(house: House, alice: Person, bob: Person, root: Person) -> None:
    narrow = await root.scoped("api:read", "toy")
    for name, input in (("createUser", {"name": "eve"}), ("disableUser", {"name": "bob"}), ("enableUser", {"name": "bob"})):
        assert await refused(alice.client, name, input) == (
            "PermissionDeniedError",
            "alice may not do this: it is for the administrators of this site.",
        )
        assert await stopped(narrow, name, input) == "PERMISSION_DENIED"
        assert await stopped(house.anyone, name, input) == "UNAUTHENTICATED"
    assert [row["disabled_at"] for row in await fetch('SELECT disabled_at FROM "user"')] == [None] * 3


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"name": "", "password": PASSWORD}, None),
        ({"name": "graphql", "password": PASSWORD}, None),
        ({"name": "two words"}, None),
        ({"name": "nul\0"}, None),
        ({"name": "x" * 65}, None),
        ({"name": "аlice"}, None),
        ({"name": "carol", "password": "short"}, "password"),
        ({"name": "carolcarol", "password": "CarolCarol"}, "password"),
        ({"name": "carol", "password": "x" * 1025}, "password"),
    ],
)
async def test_what_can_be_no_user_is_refused(root: Person, input: dict[str, str], field: str | None) -> None:
    result = await change(root.client, "createUser", input)
    assert (result["__typename"], result["field"]) == ("ValidationError", field)
    assert len(await fetch('SELECT id FROM "user"')) == 1


async def test_a_name_that_is_taken_is_a_conflict(root: Person, alice: Person) -> None:
    assert (await refused(root.client, "createUser", {"name": "ALICE"}))[0] == "ConflictError"


async def test_a_disabled_user_is_out_with_every_credential_and_back_with_tokens(house: House, root: Person, alice: Person, anna: Visitor) -> None:
    await alice.has("ball.toy", build_toy("ball"), private="true")
    await anna.logs_in()
    assert await done(root.client, "disableUser", {"name": "ALICE"}, "changed user { name }") == {"changed": True, "user": {"name": "alice"}}
    assert await anna.whoami() is None
    assert (await anna.client.get("/toy/alice/files/ball.toy")).status_code == 404
    assert (await alice.client.get("/toy/alice/listing")).status_code == 401
    assert await fetch("SELECT id FROM session") == []
    assert (await done(root.client, "disableUser", {"name": "alice"}, "changed"))["changed"] is False
    assert (await done(root.client, "enableUser", {"name": "alice"}, "changed"))["changed"] is True
    assert (await done(root.client, "enableUser", {"name": "alice"}, "changed"))["changed"] is False
    assert (await look(alice.client, "{ viewer { name } }"))["viewer"] == {"name": "alice"}
    assert await anna.whoami() is None
    assert [event[:2] for event in await told("user.disable")] == [("root", "alice")]
    assert [event[:2] for event in await told("user.enable")] == [("root", "alice")]


async def test_who_cannot_be_disabled(house: House, root: Person) -> None:
    kind, message = await refused(root.client, "disableUser", {"name": "root"})
    assert (kind, message) == ("ConflictError", "You cannot disable yourself. Another administrator can.")
    for name in ("nobody", "", "x" * 500):
        assert (await refused(root.client, "disableUser", {"name": name}))[0] == "NotFoundError"
    assert (await change(root.client, "disableUser", {"name": "nul\0"}))["__typename"] in ("NotFoundError", "ValidationError")


async def test_two_administrators_who_disable_each_other_do_not_both_go_on(house: House, root: Person) -> None:
    other = await house.person("other", admin=True)
    await asyncio.gather(
        change(root.client, "disableUser", {"name": "other"}), change(other.client, "disableUser", {"name": "root"}), return_exceptions=True
    )
    enabled = await fetch('SELECT id FROM "user" WHERE disabled_at IS NULL')
    assert len(enabled) == 1


async def test_nobody_registers_unless_the_site_lets_them(house: House, hashes: list[str]) -> None:
    stranger = visitor(house, "eve")
    result = await stranger.result("register", name="eve", password=PASSWORD)
    assert result == {"__typename": "PermissionDeniedError", "message": "This site lets nobody register. Ask its administrators for an account."}
    assert await fetch('SELECT id FROM "user"') == []
    assert hashes == []


async def test_who_registers_is_logged_in_and_is_no_administrator(open_site: House) -> None:
    eve = visitor(open_site, "Eve")
    result = await eve.result("register", "viewer { name viewerPermission sessions { current } }", name="Eve", password=PASSWORD)
    assert result["viewer"] == {"name": "Eve", "viewerPermission": "ADMIN", "sessions": [{"current": True}]}
    assert await eve.whoami() == "Eve"
    assert (await change(eve.client, "createUser", {"name": "x"}))["__typename"] == "PermissionDeniedError"
    [row] = await fetch("SELECT actor, details, address FROM audit_event WHERE action = 'user.create'")
    assert (row["actor"], row["address"], orjson.loads(row["details"])["registered"]) == ("Eve", "127.0.0.1", True)
    other = visitor(open_site, "Eve")
    await other.logs_in("eve")


@pytest.mark.parametrize("name", ["", "two words", "graphql", "nul\0", "upload", "-"])
async def test_nobody_registers_a_name_that_can_be_none(open_site: House, name: str) -> None:
    assert (await visitor(open_site).result("register", name=name, password=PASSWORD))["__typename"] == "ValidationError"
    assert await fetch("SELECT id FROM namespace") == []


async def test_one_address_registers_twenty_times_and_then_has_to_wait(open_site: House) -> None:
    results = [(await visitor(open_site).result("register", name=f"user{number}", password=PASSWORD))["__typename"] for number in range(22)]
    assert Counter(results) == {"RegisterPayload": 20, "TooManyRequestsError": 2}


async def test_of_many_who_register_one_name_at_once_one_gets_it(open_site: House) -> None:
    visitors = [visitor(open_site, "eve") for _ in range(6)]
    results = Counter([one["__typename"] for one in await asyncio.gather(*(v.result("register", name="eve", password=PASSWORD) for v in visitors))])
    assert results == {"RegisterPayload": 1, "ConflictError": 5}
    assert sorted([await one.whoami() or "" for one in visitors]) == [""] * 5 + ["eve"]


async def test_a_password_that_changes_during_a_login_leaves_no_session_of_the_old_one(house: House, alice: Person) -> None:
    await set_password(name="alice", password=PASSWORD)
    visitors = [visitor(house) for _ in range(4)]
    await asyncio.gather(*(one.guesses(PASSWORD) for one in visitors), set_password(name="alice", password="another horse"))
    assert await fetch("SELECT id FROM session") == []
    assert [await one.whoami() for one in visitors] == [None] * 4


async def test_a_user_who_is_disabled_during_a_login_is_not_logged_in(house: House, alice: Person) -> None:
    await set_password(name="alice", password=PASSWORD)
    visitors = [visitor(house) for _ in range(4)]
    await asyncio.gather(*(one.guesses(PASSWORD) for one in visitors), set_disabled(name="alice", disabled=True))
    await execute('UPDATE "user" SET disabled_at = NULL')
    assert [await one.whoami() for one in visitors] == [None] * 4
