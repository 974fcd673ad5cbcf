"""`Namespace.auditLog` and `Query.auditLog`: who reads it, in which order, through which filters."""

from __future__ import annotations

from typing import Any

import pytest
from changes import ask, done, look, package_of
from company import found_company
from entrepot.db.sql import fetch
from house import House, Person
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from minting import mint
from toy import build_toy

EVENT = "id at actor action subject details address tokenName tokenId namespace { name }"
LOG = f"""query ($name: String!, $filter: AuditLogFilter, $first: Int = 100, $after: String) {{ namespace(name: $name) {{
    auditLog(filter: $filter, first: $first, after: $after) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {EVENT} }} }} }} }}"""
SITE = f"""query ($filter: AuditLogFilter, $first: Int = 100, $after: String) {{
    auditLog(filter: $filter, first: $first, after: $after) {{ totalCount nodes {{ {EVENT} }} }} }}"""


async def log(client: Any, name: str = "alice", **filter: Any) -> Any:
    """The events of a namespace, newest first; None for who may not read them."""
    found = (await look(client, LOG, name=name, filter=filter or None))["namespace"]["auditLog"]
    if found is None:
        return None
    assert found["totalCount"] == len(found["nodes"])
    return found["nodes"]


async def actions(client: Any, name: str = "alice", **filter: Any) -> list[str]:
    return [f"{one['action']} {one['subject']}" for one in await log(client, name, **filter)]


@pytest.fixture
async def ball(alice: Person) -> str:
    """The id of alice's private package."""
    await alice.has("ball.toy", build_toy("ball"), private="true")
    return str((await package_of(alice.client, "ball"))["id"])


async def test_it_says_who_did_what_to_what_when_from_where_with_which_token(house: House, alice: Person, bob: Person, ball: str) -> None:
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    await bob.has("ball-2.toy", build_toy("ball", "2"), to="alice", labels=["dev"])
    newest = (await log(alice.client))[0]
    token = (await look(bob.client, "{ viewer { tokens { nodes { id } } } }"))["viewer"]["tokens"]["nodes"][0]["id"]
    [file] = await fetch("SELECT sha256, uploaded_at FROM file WHERE path = 'ball-2.toy'")
    assert newest.pop("id")
    assert newest.pop("at").startswith("20")
    assert newest == {
        "actor": "bob",
        "action": "file.publish",
        "subject": "alice/toy/ball-2.toy",
        "details": {"sha256": file["sha256"], "labels": ["dev"]},
        "address": "127.0.0.1",
        "tokenName": "laptop",
        "tokenId": token,
        "namespace": {"name": "alice"},
    }
    assert (await look(alice.client, "query ($id: ID!) { node(id: $id) { id } }", id=token))["node"] is None
    first = (await log(alice.client))[-1]
    assert (first["actor"], first["action"], first["address"]) == ("command line", "user.create", "")
    assert (first["tokenName"], first["tokenId"]) == (None, None)


async def test_it_is_for_those_who_administer_the_namespace(house: House, alice: Person, bob: Person, ball: str) -> None:
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    for client in (bob.client, house.anyone, (await mint(house, alice.client, packageId=ball)).client):
        assert await log(client) is None
    assert await log(await alice.scoped("api:read"))
    assert "errors" in await ask(await alice.scoped("repos"), LOG, name="alice")
    root = await house.person("root", admin=True)
    assert await log(root.client)
    [event, *_] = await log(alice.client)
    query = "query ($id: ID!) { node(id: $id) { ... on AuditEvent { action } } }"
    assert (await look(alice.client, query, id=event["id"]))["node"] == {"action": event["action"]}
    for client in (bob.client, house.anyone):
        assert (await look(client, query, id=event["id"]))["node"] is None


async def test_in_an_organization_owners_and_administrators_of_everything_read_it(house: House, alice: Person, bob: Person) -> None:
    acme = await found_company(house, alice)
    carol, dora = await house.person("carol"), await house.person("dora")
    package = await acme.package("secret")
    await acme.group("chiefs", "ADMIN", bob, everything=True)
    await acme.group("workers", "WRITE", carol, everything=True)
    await acme.group("few", "ADMIN", dora, packages={"secret": package})
    assert await log(alice.client, "acme") == await log(bob.client, "acme")
    assert "package.create acme/secret" in await actions(bob.client, "acme")
    for person in (carol, dora):
        assert await log(person.client, "acme") is None
    machine = await mint(house, alice.client, owner="acme")
    assert await log(machine.client, "acme") is None


async def test_that_of_the_whole_site_is_for_its_administrators(house: House, alice: Person, bob: Person) -> None:
    acme = await found_company(house, alice)
    await done(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    root = await house.person("root", admin=True)
    events = (await look(root.client, SITE))["auditLog"]
    assert events["totalCount"] == len(events["nodes"]) == len(await fetch("SELECT id FROM audit_event"))
    assert "organization.delete" in [one["action"] for one in events["nodes"] if one["namespace"] is None]
    for client in (alice.client, bob.client, house.anyone, (await mint(house, alice.client)).client):
        assert (await look(client, SITE))["auditLog"] is None
    assert (await look(await root.scoped("api:read"), SITE))["auditLog"] is not None
    [event] = [one for one in events["nodes"] if one["action"] == "organization.delete"]
    query = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await look(root.client, query, id=event["id"]))["node"] == {"id": event["id"]}
    assert (await look(alice.client, query, id=event["id"]))["node"] is None


async def test_filters_narrow_it(house: House, alice: Person, bob: Person, ball: str) -> None:
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    await bob.has("ball-2.toy", build_toy("ball", "2"), to="alice")
    await alice.has("balloon.toy", build_toy("balloon"))
    ci = await mint(house, alice.client, name="ci")
    await done(ci.client, "createLabel", {"namespace": "alice", "label": "Dev"})
    client = alice.client
    assert await actions(client, action="file") == [f"file.publish alice/toy/{name}.toy" for name in ("balloon", "ball-2", "ball")]
    assert await actions(client, action="FILE.PUBLISH", actor="Bob") == ["file.publish alice/toy/ball-2.toy"]
    assert await actions(client, subject="Alice/toy/ball-") == ["file.publish alice/toy/ball-2.toy"]
    assert await actions(client, tokenId=ci.id) == ["label.create alice: dev"]
    assert await actions(client, action="label.c", actor="alice") == ["label.create alice: dev"]
    everything = await log(client)
    assert len(everything) == 8, [one["action"] for one in everything]
    middle = everything[3]["at"]
    newer = [one["id"] for one in everything if one["at"] >= middle]
    assert [one["id"] for one in await log(client, since=middle)] == newer
    assert [one["id"] for one in await log(client, until=middle)] == [one["id"] for one in everything if one["id"] not in newer]
    assert await log(client, since=middle.replace("Z", "+00:00"), until=middle) == []
    for nothing in (
        {"action": "%"},
        {"action": "file.publish "},
        {"actor": "al"},
        {"subject": "ball"},
        {"subject": "_lice"},
        {"actor": "' OR 1=1 --"},
    ):
        assert await log(client, **nothing) == []


async def test_what_is_no_filter_is_refused(house: House, alice: Person, ball: str) -> None:
    for filter in ({"tokenId": ball}, {"tokenId": "x"}, {"since": "yesterday"}, {"since": "2026-13-01T00:00:00Z"}, {"action": 7}):
        answer = await ask(alice.client, LOG, name="alice", filter=filter)
        assert answer["errors"], filter
        assert "Something went wrong" not in str(answer), filter
    assert await log(alice.client, since="0001-01-01T00:00:00Z") == await log(alice.client, until="9999-12-31T23:59:59+14:00")


async def test_it_comes_in_pages_newest_first(house: House, alice: Person) -> None:
    for number in range(12):
        await done(alice.client, "createLabel", {"namespace": "alice", "label": f"l{number}"})
    whole = await log(alice.client)
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    for first in (1, 5, 7):
        found: list[Any] = []
        after = None
        while True:
            page = (await look(alice.client, LOG, name="alice", first=first, after=after))["namespace"]["auditLog"]
            found += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if len(found) == first:  # what comes now is newer, and on no later page
                await done(alice.client, "createLabel", {"namespace": "alice", "label": f"between-{first}"})
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == whole
        whole = await log(alice.client)


async def test_a_cursor_of_one_log_is_none_of_another(house: House, alice: Person, bob: Person) -> None:
    page = (await look(alice.client, LOG, name="alice", first=1))["namespace"]["auditLog"]
    after = page["pageInfo"]["endCursor"]
    for variables in ({"name": "bob"}, {"name": "alice", "filter": {"action": "token"}}):
        client = bob.client if variables["name"] == "bob" else alice.client
        answer = await ask(client, LOG, **variables, first=1, after=after)
        assert "cursor of another list" in str(answer["errors"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
async def test_any_text_is_a_filter_that_finds_what_begins_with_it(house: House, text: str) -> None:
    alice = house.people.get("alice") or await house.person("alice")
    for field in ("action", "subject"):
        answer = await ask(alice.client, LOG, name="alice", filter={field: text})
        if "\0" in text:  # which no event has; PostgreSQL says so
            assert "errors" in answer or not answer["data"]["namespace"]["auditLog"]["nodes"]
            continue
        found = answer["data"]["namespace"]["auditLog"]["nodes"]
        every = (await look(alice.client, LOG, name="alice"))["namespace"]["auditLog"]["nodes"]
        assert found == [one for one in every if one[field].lower().startswith(text.lower())]
