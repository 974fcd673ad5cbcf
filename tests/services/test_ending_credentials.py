"""Ending a credential: tokens that are revoked, users that are disabled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from entrepot.db.sql import execute, fetch
from entrepot.errors import Conflict, NotFound, PermissionDenied
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.tokens import Token, list_tokens, revoke_token, token_named
from entrepot.services.users import list_users, set_disabled
from house import House, Person
from toy import build_toy


async def events(action: str) -> list[tuple[str, str, Any]]:
    """What the audit log tells of an action: by whom, on what, with which details."""
    found = await fetch("SELECT actor, subject, details FROM audit_event WHERE action = $1 ORDER BY id", action)
    return [(row["actor"], row["subject"], orjson.loads(row["details"])) for row in found]


async def the_token(person: Person) -> Token:
    """The one token that a new person has."""
    [token] = await list_tokens(owner=person.name)
    return token


def with_scopes(person: Person, *scopes: str) -> Actor:
    """The person, with a token that may do less."""
    return Actor(name=person.name, namespace_id=person.actor.namespace_id, scopes=frozenset(scopes))


async def test_tokens_are_listed_newest_first_without_their_secrets(alice: Person, bob: Person) -> None:
    newer = await alice.new_token("toy", "api:read", expires_in=None)
    listed = await list_tokens(owner="Alice", actor=alice.actor)
    assert [(token.name, token.scopes, token.owner) for token in listed] == [("another", ("toy", "api:read"), "alice"), ("laptop", ("all",), "alice")]
    assert listed[0].expires_at is None
    assert listed[1].expires_at == listed[1].created_at + 365 * 86_400_000
    assert [(token.last_used_at, token.revoked_at) for token in listed] == [(None, None)] * 2
    assert newer not in repr(listed)
    assert alice.token not in repr(listed)


async def test_the_tokens_of_others_are_for_administrators(alice: Person, bob: Person) -> None:
    with pytest.raises(PermissionDenied, match="bob may not manage the tokens of alice"):
        await list_tokens(owner="alice", actor=bob.actor)
    root = await alice.house.person("root", admin=True)
    assert [token.name for token in await list_tokens(owner="alice", actor=root.actor)] == ["laptop"]


async def test_nobody_has_tokens_whom_nobody_knows(house: House) -> None:
    with pytest.raises(NotFound, match="no namespace carol"):
        await list_tokens(owner="carol")


async def test_a_revoked_token_opens_nothing_more(alice: Person) -> None:
    async with alice.client as client:
        assert (await client.put("/upload/alice/a-1.toy", content=build_toy("a"))).status_code == 201
        revoked, _ = await revoke_token(token=(await the_token(alice)).id, actor=alice.actor)
        assert revoked.revoked_at is not None
        assert (await client.put("/upload/alice/a-1.toy", content=build_toy("a"))).status_code == 401
    assert await events("token.revoke") == [("alice", "alice: laptop", {"token": revoked.id})]


async def test_a_token_is_revoked_once(alice: Person) -> None:
    first = await revoke_token(token=(await the_token(alice)).id, actor=alice.actor)
    assert await revoke_token(token=first.token.id, actor=alice.actor) == first
    assert len(await events("token.revoke")) == 1


@pytest.mark.parametrize("token", ["", "4f3c", "laptop", "00000000-0000-4000-8000-000000000000", "x' OR 'x' = 'x"])
async def test_what_is_no_tokens_id_revokes_nothing(alice: Person, token: str) -> None:
    with pytest.raises(NotFound, match="You have no token with the id"):
        await revoke_token(token=token, actor=alice.actor)
    assert (await the_token(alice)).revoked_at is None


async def test_somebody_elses_token_does_not_exist_for_me(alice: Person, bob: Person) -> None:
    his = (await the_token(bob)).id
    for actor in (alice.actor, ANONYMOUS):
        with pytest.raises(NotFound):
            await revoke_token(token=his, actor=actor)
    with pytest.raises(NotFound, match="alice has no token with the id"):
        await revoke_token(token=his, owner="alice")
    assert (await the_token(bob)).revoked_at is None
    assert await events("token.revoke") == []


async def test_a_token_that_may_only_read_cannot_revoke(alice: Person) -> None:
    token = await the_token(alice)
    with pytest.raises(PermissionDenied, match="api:write"):
        await revoke_token(token=token.id, actor=with_scopes(alice, "api:read", "toy"))
    assert await list_tokens(owner="alice", actor=with_scopes(alice, "api:read")) == [token]
    with pytest.raises(PermissionDenied, match="api:read"):
        await list_tokens(owner="alice", actor=with_scopes(alice, "toy"))


async def test_a_name_means_the_token_that_is_still_valid(alice: Person) -> None:
    for _ in range(3):
        await alice.new_token()
    newest, *older = [token for token in await list_tokens(owner="alice") if token.name == "another"]
    await revoke_token(token=older[0].id)
    await execute("UPDATE token SET expires_at = 1 WHERE uuid = $1", older[1].id)
    assert (await token_named(owner="alice", name="another")).id == newest.id


async def test_a_name_of_several_tokens_is_refused_with_their_ids(alice: Person) -> None:
    await alice.new_token()
    await alice.new_token(expires_in=timedelta(days=3))
    ids = [token.id for token in await list_tokens(owner="alice") if token.name == "another"]
    with pytest.raises(Conflict, match="alice has 2 tokens of the name 'another'") as refusal:
        await token_named(owner="alice", name="another")
    assert all(id in refusal.value.message for id in ids)


async def test_a_name_that_no_token_has_is_said_so(alice: Person) -> None:
    with pytest.raises(NotFound, match="alice has no token of the name 'phone'"):
        await token_named(owner="alice", name="phone")


async def test_a_disabled_user_is_out_at_once_and_back_when_enabled(alice: Person) -> None:
    made = await alice.has("a-1.toy", build_toy("a"))
    async with alice.client as client, alice.house.anyone as anyone:
        assert await set_disabled(name="ALICE", disabled=True)
        assert (await client.put("/upload/alice/b-1.toy", content=build_toy("b"))).status_code == 401
        assert (await anyone.get(made["url"])).content == build_toy("a")  # what was published stays
        assert await set_disabled(name="alice", disabled=False)
        assert (await client.put("/upload/alice/b-1.toy", content=build_toy("b"))).status_code == 201
    assert await events("user.disable") == [("command line", "alice", {})]
    assert await events("user.enable") == [("command line", "alice", {})]


async def test_disabling_twice_changes_nothing_the_second_time(alice: Person) -> None:
    assert await set_disabled(name="alice", disabled=True)
    [first] = [user.disabled_at for user in await list_users()]
    assert not await set_disabled(name="alice", disabled=True)
    assert [user.disabled_at for user in await list_users()] == [first]
    assert len(await events("user.disable")) == 1


async def test_only_administrators_disable_and_list_users(alice: Person, bob: Person) -> None:
    for actor in (alice.actor, ANONYMOUS):
        with pytest.raises(PermissionDenied, match="administrators"):
            await set_disabled(name="bob", disabled=True, actor=actor)
        with pytest.raises(PermissionDenied, match="administrators"):
            await list_users(actor=actor)
    assert [user.disabled_at for user in await list_users()] == [None, None]


async def test_whom_nobody_knows_cannot_be_disabled(house: House) -> None:
    with pytest.raises(NotFound, match="There is no user carol"):
        await set_disabled(name="carol", disabled=True)


async def test_users_are_listed_by_name(alice: Person, bob: Person) -> None:
    await alice.house.person("Al", admin=True)
    assert [(user.name, user.admin, user.password, user.disabled_at) for user in await list_users()] == [
        ("Al", True, False, None),
        ("alice", False, False, None),
        ("bob", False, False, None),
    ]
