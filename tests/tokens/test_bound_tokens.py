"""Tokens that are bound to one package: they work as their owner does there, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from changes import ask, change, done, events, look, package_of, refused
from company import Company
from entrepot.db.sql import fetch, transaction
from entrepot.services import sessions
from house import House, Person, sentence
from minting import mint
from toy import build_toy

BALL, NEXT, CAR = build_toy("ball"), build_toy("ball", "2"), build_toy("car")
TOKENS = "{ viewer { tokens(first: 100) { nodes { name bound package { name namespace { name } } } } } }"


@pytest.fixture
async def ball(alice: Person) -> str:
    """The id of alice's private package, beside another private one and a public one."""
    await alice.has("ball.toy", BALL, private="true")
    await alice.has("car.toy", CAR, private="true")
    await alice.has("boat.toy", build_toy("boat"))
    return str((await package_of(alice.client, "ball"))["id"])


async def test_the_owners_token_works_on_that_package_alone(house: House, alice: Person, ball: str) -> None:
    ci = (await mint(house, alice.client, packageId=ball)).client
    assert [line.split()[0] for line in (await ci.get("/toy/alice/listing")).text.splitlines()] == ["ball.toy", "boat.toy"]
    assert (await ci.get("/toy/alice/files/ball.toy")).content == BALL
    assert (await ci.get("/toy/alice/files/car.toy")).status_code == 404
    assert (await ci.get("/toy/alice/page/car")).status_code == 404
    assert (await ci.put("/upload/alice/ball-2.toy", content=NEXT)).status_code == 201
    for basename, body in (("car-2.toy", build_toy("car", "2")), ("boat-2.toy", build_toy("boat", "2")), ("new.toy", build_toy("new"))):
        assert sentence(await ci.put(f"/upload/alice/{basename}", content=body), 403)
    found = await look(ci, '{ namespace(name: "alice") { packages { totalCount nodes { name viewerPermission } } } }')
    assert found["namespace"]["packages"] == {
        "totalCount": 2,
        "nodes": [{"name": "ball", "viewerPermission": "ADMIN"}, {"name": "boat", "viewerPermission": "READ"}],
    }
    await done(ci, "updatePackage", {"packageId": ball, "summary": "round"})
    assert [event[:2] for event in await events("package.update")] == [("alice", "alice/ball")]


async def test_it_does_nothing_in_the_name_of_its_owner_elsewhere(house: House, alice: Person, ball: str) -> None:
    token = await mint(house, alice.client, packageId=ball)
    car = await package_of(alice.client, "car")
    before = await house.rows()
    boat = (await package_of(alice.client, "boat"))["id"]
    async with transaction():
        await sessions.begin(user_id=alice.actor.namespace_id or 0, address="", agent="")
    [session] = [one.id for one in await sessions.list_sessions(alice.actor)]
    changes: list[tuple[str, dict[str, Any]]] = [
        ("createPackage", {"namespace": "alice", "name": "plane"}),
        ("createOrganization", {"name": "acme"}),
        ("createLabel", {"namespace": "alice", "label": "new"}),
        ("updatePackage", {"packageId": boat, "summary": "wet"}),
        ("updatePackage", {"packageId": car["id"], "summary": "fast"}),
        ("deletePackage", {"packageId": car["id"], "confirmation": "alice/car"}),
        ("removeFiles", {"files": {"ids": [car["files"]["car.toy"]]}}),
        ("addLabel", {"files": {"packageId": car["id"]}, "label": "dev"}),
        ("createToken", {"name": "more", "scopes": ["all"]}),
        ("createToken", {"name": "more", "scopes": ["all"], "packageId": car["id"]}),
        ("revokeToken", {"tokenId": token.id}),
        ("logout", {"everywhere": True}),
        ("endSession", {"sessionId": session}),
    ]
    for name, input in changes:
        assert (await refused(token.client, name, input))[0] in ("PermissionDeniedError", "NotFoundError"), name
    assert await house.rows() == before
    assert len(await sessions.list_sessions(alice.actor)) == 1
    query = '{ viewer { name tokens { totalCount } } namespace(name: "alice") { auditLog { totalCount } } }'
    found = await look(token.client, query)
    assert found == {"viewer": {"name": "alice", "tokens": None}, "namespace": {"auditLog": None}}


async def test_a_collaborator_binds_one_in_her_own_name(house: House, alice: Person, bob: Person, ball: str) -> None:
    assert (await refused(bob.client, "createToken", {"name": "ci", "scopes": ["all"], "packageId": ball}))[0] == "NotFoundError"
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    await bob.has("kite.toy", build_toy("kite"), private="true")
    ci = (await mint(house, bob.client, "toy", packageId=ball)).client
    assert (await ci.get("/toy/alice/files/ball.toy")).status_code == 200
    assert (await ci.put("/upload/alice/ball-2.toy", content=NEXT)).status_code == 201
    assert (await ci.get("/toy/bob/files/kite.toy")).status_code == 404
    assert (await ci.put("/upload/bob/x.toy", content=build_toy("x"))).status_code == 403
    await done(alice.client, "removeCollaborator", {"packageId": ball, "user": "bob"})
    assert (await ci.get("/toy/alice/files/ball.toy")).status_code == 404
    assert (await ci.put("/upload/alice/ball-3.toy", content=build_toy("ball", "3"))).status_code == 403


async def test_who_may_do_nothing_with_a_package_binds_no_token_to_it(alice: Person, bob: Person, ball: str) -> None:
    boat = (await package_of(bob.client, "boat"))["id"]
    assert (await refused(bob.client, "createToken", {"name": "x", "scopes": ["all"], "packageId": boat}))[0] == "PermissionDeniedError"
    other = (await look(alice.client, '{ namespace(name: "alice") { id } }'))["namespace"]["id"]
    for wrong in (other, "nonsense", ball[:-4] + "AAA="):
        result = await change(alice.client, "createToken", {"name": "x", "scopes": ["all"], "packageId": wrong})
        assert result["__typename"] in ("ValidationError", "NotFoundError"), wrong


async def test_an_organizations_token_is_bound_to_one_of_its_packages(house: House, alice: Person, acme: Company) -> None:
    ball = (await package_of(alice.client, "ball", "acme"))["id"]
    ci = (await mint(house, alice.client, owner="acme", packageId=ball)).client
    assert (await ci.get("/toy/acme/files/ball.toy")).status_code == 200
    assert (await ci.get("/toy/acme/files/car.toy")).status_code == 404
    assert (await ci.put("/upload/acme/ball-2.toy", content=NEXT)).status_code == 201
    assert (await ci.put("/upload/acme/new.toy", content=build_toy("new"))).status_code == 403
    assert (await refused(ci, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"}))[0] == "PermissionDeniedError"
    await alice.has("kite.toy", build_toy("kite"))
    kite = (await package_of(alice.client, "kite"))["id"]
    result = await change(alice.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "acme", "packageId": kite})
    assert (result["__typename"], result["field"]) == ("ValidationError", "packageId")


async def test_it_makes_only_tokens_that_are_bound_to_the_same(house: House, alice: Person, acme: Company, ball: str) -> None:
    token = await mint(house, alice.client, packageId=ball)
    for more in ({}, {"owner": "acme"}, {"packageId": (await package_of(alice.client, "ball", "acme"))["id"]}):
        kind, _ = await refused(token.client, "createToken", {"name": "x", "scopes": ["all"], **more})
        assert kind in ("PermissionDeniedError", "NotFoundError")
    second = await mint(house, token.client, "toy:download", packageId=ball)
    assert (await second.client.get("/toy/alice/files/ball.toy")).status_code == 200
    assert (await second.client.get("/toy/alice/files/car.toy")).status_code == 404


async def test_it_goes_with_its_package_and_the_log_keeps_its_name(house: House, alice: Person, ball: str) -> None:
    """Also where it is the one that deletes the package."""
    token = await mint(house, alice.client, name="broom", packageId=ball)
    await done(token.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"})
    assert not await token.alive()
    rows = await fetch("SELECT actor, token_id, token_name FROM audit_event WHERE action = 'package.delete'")
    assert [tuple(dict(row).values()) for row in rows] == [("alice", None, "broom")]
    await alice.has("ball.toy", BALL, private="true")  # the name is there again, and the token is not
    assert (await token.client.get("/toy/alice/files/ball.toy")).status_code == 401


async def test_it_follows_its_package_with_its_owners_rights(house: House, alice: Person, acme: Company, ball: str) -> None:
    own = await mint(house, alice.client, packageId=ball)
    await done(alice.client, "deletePackage", {"packageId": (await package_of(alice.client, "ball", "acme"))["id"], "confirmation": "acme/ball"})
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert (await own.client.get("/toy/acme/files/ball.toy")).status_code == 200
    assert (await own.client.get("/toy/acme/files/car.toy")).status_code == 404
    assert (await own.client.put("/upload/acme/ball-2.toy", content=NEXT)).status_code == 201
    assert (await own.client.put("/upload/alice/car-2.toy", content=build_toy("car", "2"))).status_code == 403


async def test_a_one_time_address_is_bound_as_the_token_is_that_made_it(house: House, alice: Person, ball: str) -> None:
    token = await mint(house, alice.client, packageId=ball)
    for package, basename, body, status in (("car", "car-2.toy", build_toy("car", "2"), 403), ("ball", "ball-2.toy", NEXT, 201)):
        url = (await done(token.client, "createUpload", {"namespace": "alice", "package": package, "basename": basename}, "url"))["url"]
        assert (await house.anyone.put(url, content=body)).status_code == status


async def test_it_is_listed_with_its_package_for_as_long_as_that_may_be_read(house: House, alice: Person, bob: Person, ball: str) -> None:
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    await mint(house, bob.client, name="ci", packageId=ball)
    shown = (await look(bob.client, TOKENS))["viewer"]["tokens"]["nodes"][0]
    assert shown == {"name": "ci", "bound": True, "package": {"name": "ball", "namespace": {"name": "alice"}}}
    await done(alice.client, "removeCollaborator", {"packageId": ball, "user": "bob"})
    assert (await look(bob.client, TOKENS))["viewer"]["tokens"]["nodes"][0] == {"name": "ci", "bound": True, "package": None}


async def test_a_site_administrators_is_one_there_alone(house: House, alice: Person, ball: str) -> None:
    root = await house.person("root", admin=True)
    token = await mint(house, root.client, packageId=ball)
    await done(token.client, "updatePackage", {"packageId": ball, "summary": "round"})
    assert (await token.client.get("/toy/alice/files/car.toy")).status_code == 404
    assert (await look(token.client, "{ auditLog { totalCount } }"))["auditLog"] is None
    answer = await ask(token.client, 'mutation { createLabel(input: {namespace: "alice", label: "x"}) { __typename } }')
    assert answer["data"]["createLabel"]["__typename"] == "PermissionDeniedError"
