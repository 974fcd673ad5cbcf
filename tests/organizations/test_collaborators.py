"""`addCollaborator`, `removeCollaborator`: one user, one package, read and write."""

from __future__ import annotations

from typing import Any

import pytest
from changes import change, done, events, look, package_of, refused, stopped
from company import Company
from entrepot.db.sql import fetch
from entrepot.services.users import set_disabled
from house import House, Person, sentence
from toy import build_toy


@pytest.fixture
async def ball(alice: Person) -> str:
    """The id of alice's private package with a file, beside another private one."""
    await alice.has("ball.toy", build_toy("ball"), private="true")
    await alice.has("car.toy", build_toy("car"), private="true")
    return str((await package_of(alice.client, "ball"))["id"])


QUERY = """{ package(namespace: "alice", name: "ball") { viewerPermission viewerCanWrite viewerCanAdminister
    collaborators { totalCount nodes { name } } } }"""


async def shown(person: Person) -> Any:
    return (await look(person.client, QUERY))["package"]


async def test_a_collaborator_reads_and_writes_that_package_and_nothing_else(house: House, alice: Person, bob: Person, ball: str) -> None:
    assert await shown(bob) is None
    made = await done(alice.client, "addCollaborator", {"packageId": ball, "user": "Bob"}, "changed package { collaborators { nodes { name } } }")
    assert made == {"changed": True, "package": {"collaborators": {"nodes": [{"name": "bob"}]}}}
    assert await shown(bob) == {
        "viewerPermission": "WRITE",
        "viewerCanWrite": True,
        "viewerCanAdminister": False,
        "collaborators": {"totalCount": 1, "nodes": [{"name": "bob"}]},
    }
    assert (await bob.put("ball-2.toy", build_toy("ball", "2"), to="alice")).status_code == 201
    answers = [sentence(await bob.put(f"{name}.toy", build_toy(name, "2"), to="alice"), 403) for name in ("car", "new")]
    assert answers[0] == answers[1], "a private package is answered as one that is not there"
    assert (await bob.client.get("/toy/alice/files/ball.toy")).status_code == 200
    sentence(await bob.client.get("/toy/alice/files/car.toy"), 404)
    for name, input in (("updatePackage", {"visibility": "PUBLIC"}), ("addCollaborator", {"user": "bob"}), ("deletePackage", {"confirmation": "x"})):
        assert (await refused(bob.client, name, {"packageId": ball, **input}))[0] == "PermissionDeniedError"


async def test_adding_and_removing_twice_is_no_error_and_changes_nothing(alice: Person, bob: Person, ball: str) -> None:
    input = {"packageId": ball, "user": "bob"}
    assert [(await done(alice.client, "addCollaborator", input, "changed"))["changed"] for _ in range(3)] == [True, False, False]
    assert [(await done(alice.client, "removeCollaborator", input, "changed"))["changed"] for _ in range(2)] == [True, False]
    assert await shown(bob) is None
    assert await events("collaborator.add") == [("alice", "alice/ball", {"user": "bob"})]
    assert await events("collaborator.remove") == [("alice", "alice/ball", {"user": "bob"})]


async def test_a_collaborator_leaves_by_herself_and_takes_nobody_along(alice: Person, bob: Person, carol: Person, ball: str) -> None:
    for name in ("bob", "carol"):
        await done(alice.client, "addCollaborator", {"packageId": ball, "user": name})
    assert (await refused(bob.client, "removeCollaborator", {"packageId": ball, "user": "carol"}))[0] == "PermissionDeniedError"
    made = await done(bob.client, "removeCollaborator", {"packageId": ball, "user": "BOB"}, "changed package { name }")
    assert made == {"changed": True, "package": None}
    assert await shown(bob) is None
    assert (await shown(carol))["collaborators"]["nodes"] == [{"name": "carol"}]
    assert (await refused(bob.client, "removeCollaborator", {"packageId": ball, "user": "bob"}))[0] == "NotFoundError"


async def test_who_cannot_be_one_is_refused(house: House, alice: Person, bob: Person, acme: Company, ball: str) -> None:
    for name, kind in (("alice", "ValidationError"), ("acme", "ValidationError"), ("nobody", "NotFoundError"), ("b\0b", "NotFoundError")):
        assert (await refused(alice.client, "addCollaborator", {"packageId": ball, "user": name}))[0] == kind
    for name in ("bоb", "", "x" * 5000, " bob", "\U0001f600"):
        assert (await refused(alice.client, "addCollaborator", {"packageId": ball, "user": name}))[0] == "NotFoundError"
    await set_disabled(name="bob", disabled=True)
    assert (await refused(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"}))[0] == "ConflictError"
    for wrong in (acme.id, acme.owners, "", "AAAA"):
        result = await change(alice.client, "addCollaborator", {"packageId": wrong, "user": "bob"})
        assert (result["__typename"], result["field"]) == ("ValidationError", "packageId")
    assert not await fetch("SELECT id FROM collaborator")


async def test_who_does_not_administer_the_package_adds_nobody(house: House, alice: Person, bob: Person, carol: Person, ball: str) -> None:
    for name in ("addCollaborator", "removeCollaborator"):
        input = {"packageId": ball, "user": "carol"}
        assert (await refused(bob.client, name, input))[0] == "NotFoundError"
        assert await stopped(house.anyone, name, input) == "UNAUTHENTICATED"
        assert await stopped(await alice.scoped("api:read", "toy"), name, input) == "PERMISSION_DENIED"
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
    assert (await refused(bob.client, "addCollaborator", {"packageId": ball, "user": "bob"}))[0] == "PermissionDeniedError"
    assert not await fetch("SELECT id FROM collaborator")


async def test_collaborators_are_shown_to_who_may_write(house: House, alice: Person, bob: Person, carol: Person, ball: str) -> None:
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
    for client in (house.anyone, carol.client):
        assert (await look(client, QUERY))["package"]["collaborators"] is None
    for client in (alice.client, bob.client, (await house.person("root", admin=True)).client):
        assert (await look(client, QUERY))["package"]["collaborators"] == {"totalCount": 1, "nodes": [{"name": "bob"}]}
    assert (await look(await alice.scoped("api:read"), QUERY))["package"] == {
        "viewerPermission": "READ",
        "viewerCanWrite": False,
        "viewerCanAdminister": False,
        "collaborators": {"totalCount": 1, "nodes": [{"name": "bob"}]},
    }


async def test_an_administrator_group_of_the_package_adds_collaborators(acme: Company, bob: Person, carol: Person) -> None:
    ball = await acme.package("ball")
    await acme.group("chiefs", "ADMIN", bob, packages={"ball": ball})
    await done(bob.client, "addCollaborator", {"packageId": ball, "user": "carol"})
    found = await look(carol.client, '{ package(namespace: "acme", name: "ball") { viewerPermission } }')
    assert found["package"]["viewerPermission"] == "WRITE"
