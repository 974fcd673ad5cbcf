"""Tokens of organizations: made by who administers one, they act as the organization, with write on its namespace and nothing beyond."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from changes import ask, change, done, events, look, package_of, refused
from company import Company
from entrepot.services.tokens import list_tokens
from entrepot.services.users import set_disabled
from house import House, Person, sentence
from minting import mint
from toy import build_toy

TOKENS = """query ($name: String!) { namespace(name: $name) { tokens { totalCount
    nodes { name scopes bound owner { name } package { name } } } } }"""


async def listed(person: Person, name: str = "acme") -> Any:
    return (await look(person.client, TOKENS, name=name))["namespace"]["tokens"]


async def test_it_reads_and_writes_as_the_organization(house: House, alice: Person, acme: Company) -> None:
    machine = (await mint(house, alice.client, owner="ACME", name="ci")).client
    assert (await machine.get("/toy/acme/listing")).text.count("\n") == 3
    made = await machine.put("/upload/acme/kite.toy", content=build_toy("kite"))
    assert (made.status_code, await package_of(machine, "kite", "acme") is not None) == (201, True)
    await done(machine, "createPackage", {"namespace": "acme", "name": "plane", "visibility": "PRIVATE"})
    await done(machine, "removeFiles", {"files": {"addresses": [{"namespace": "acme", "type": "toy", "path": "kite.toy"}]}})
    assert [event[:2] for event in await events("file.publish")] == [
        *(("alice", f"acme/toy/{name}.toy") for name in ("ball", "car", "boat")),
        ("acme", "acme/toy/kite.toy"),
    ]
    assert (await look(machine, "{ viewer { name } }"))["viewer"] is None


async def test_it_administers_nothing(house: House, alice: Person, acme: Company) -> None:
    machine = await mint(house, alice.client, owner="acme")
    ball = await package_of(machine.client, "ball", "acme")
    for name, input in (
        ("updatePackage", {"packageId": ball["id"], "visibility": "PUBLIC"}),
        ("deletePackage", {"packageId": ball["id"], "confirmation": "acme/ball"}),
        ("transferPackage", {"packageId": ball["id"], "namespace": "acme"}),
        ("addCollaborator", {"packageId": ball["id"], "user": "alice"}),
        ("createLabel", {"namespace": "acme", "label": "new"}),
        ("createToken", {"name": "more", "scopes": ["api:read"]}),
        ("createToken", {"name": "more", "scopes": ["api:read"], "owner": "acme"}),
        ("createToken", {"name": "more", "scopes": ["api:read"], "owner": "alice"}),
        ("createGroup", {"organization": "acme", "name": "g", "permission": "READ", "everything": True}),
    ):
        assert (await refused(machine.client, name, input))[0] == "PermissionDeniedError", name
    assert (await refused(machine.client, "revokeToken", {"tokenId": machine.id}))[0] == "NotFoundError"
    query = '{ namespace(name: "acme") { tokens { totalCount } auditLog { totalCount } } }'
    assert (await look(machine.client, query))["namespace"] == {"tokens": None, "auditLog": None}


async def test_it_is_a_stranger_everywhere_else(house: House, alice: Person, bob: Person, acme: Company) -> None:
    await alice.has("secret.toy", build_toy("secret"), private="true")
    machine = (await mint(house, alice.client, owner="acme")).client
    assert (await machine.get("/toy/alice/files/secret.toy")).status_code == 404
    assert await package_of(machine, "secret") is None
    sentence(await machine.put("/upload/alice/x.toy", content=build_toy("x")), 403)
    sentence(await machine.put("/upload/bob/x.toy", content=build_toy("x")), 403)


async def test_its_scopes_narrow_it(house: House, alice: Person, acme: Company) -> None:
    reader = (await mint(house, alice.client, "toy:download", owner="acme")).client
    assert (await reader.get("/toy/acme/files/ball.toy")).status_code == 200
    sentence(await reader.put("/upload/acme/x.toy", content=build_toy("x")), 403)
    assert (await ask(reader, "{ viewer { name } }"))["errors"][0]["extensions"]["code"] == "PERMISSION_DENIED"
    writer = (await mint(house, alice.client, "toy:upload", owner="acme")).client
    assert (await writer.put("/upload/acme/kite.toy", content=build_toy("kite"))).status_code == 201
    assert (await writer.get("/toy/acme/files/ball.toy")).status_code == 404


async def test_it_is_made_listed_and_revoked_by_who_administers_the_organization(house: House, alice: Person, bob: Person, acme: Company) -> None:
    carol, dora = await house.person("carol"), await house.person("dora")
    await acme.group("chiefs", "ADMIN", bob, everything=True)
    await acme.group("workers", "WRITE", carol, everything=True)
    await acme.group("ballers", "ADMIN", dora, packages={"ball": (await package_of(alice.client, "ball", "acme"))["id"]})
    token = await mint(house, bob.client, owner="acme", name="bobs")
    shown = {"totalCount": 1, "nodes": [{"name": "bobs", "scopes": ["all"], "bound": False, "owner": {"name": "acme"}, "package": None}]}
    assert await listed(alice) == await listed(bob) == shown
    for person in (carol, dora):
        assert await listed(person) is None
        assert (await refused(person.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "acme"}))[0] == "PermissionDeniedError"
        assert (await refused(person.client, "revokeToken", {"tokenId": token.id}))[0] == "NotFoundError"
    assert (await house.anyone.post("/graphql", json={"query": TOKENS, "variables": {"name": "acme"}})).json()["data"]["namespace"]["tokens"] is None
    assert [one.name for one in await list_tokens(owner="acme")] == ["bobs"]
    assert await token.alive()
    await done(alice.client, "revokeToken", {"tokenId": token.id})
    assert not await token.alive()
    assert [event[:2] for event in await events("token.revoke")] == [("alice", "acme: bobs")]


async def test_it_outlives_the_membership_of_who_made_it(house: House, alice: Person, bob: Person, acme: Company) -> None:
    """It is the organization's: its owners see it and revoke it."""
    chiefs = await acme.group("chiefs", "ADMIN", bob, everything=True)
    token = await mint(house, bob.client, owner="acme")
    await acme.leave(chiefs, bob)
    assert await token.alive()
    assert (await token.client.get("/toy/acme/files/ball.toy")).status_code == 200
    assert (await refused(bob.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "acme"}))[0] == "PermissionDeniedError"
    await set_disabled(name="bob", disabled=True)
    assert await token.alive()


async def test_it_goes_with_the_organization(house: House, alice: Person, acme: Company) -> None:
    token = await mint(house, alice.client, owner="acme")
    await done(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    assert not await token.alive()


async def test_nobody_makes_the_token_of_another_user(house: House, alice: Person, bob: Person) -> None:
    root = await house.person("root", admin=True)
    assert (await refused(bob.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "alice"}))[0] == "PermissionDeniedError"
    kind, message = await refused(root.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "alice"})
    assert (kind, message) == ("PermissionDeniedError", "A token of alice acts as alice: nobody else makes one. Make one of your own.")
    assert (await refused(bob.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "nobody"}))[0] == "NotFoundError"
    await done(bob.client, "createToken", {"name": "x", "scopes": ["all"], "owner": "Bob"})


async def test_it_is_never_more_than_the_token_that_makes_it(house: House, alice: Person, acme: Company) -> None:
    narrow = await alice.scoped("api", "toy:download", expires_in=timedelta(hours=2))
    for more in ({"scopes": ["all"]}, {"scopes": ["toy"]}, {"scopes": ["api"], "expiresIn": "1d"}):
        assert (await change(narrow, "createToken", {"name": "x", "owner": "acme", **more}))["__typename"] == "PermissionDeniedError"
    made = await mint(house, narrow, "toy:download", owner="acme")
    assert (await made.client.get("/toy/acme/files/ball.toy")).status_code == 200


@pytest.mark.parametrize("owner", ["", " ", "a/b", "nobody", "x" * 200, "alice'--"])
async def test_a_name_that_nobody_has_is_not_found(alice: Person, owner: str) -> None:
    assert (await refused(alice.client, "createToken", {"name": "x", "scopes": ["all"], "owner": owner}))[0] == "NotFoundError"


async def test_a_site_administrator_makes_one_and_it_is_no_administrators(house: House, alice: Person, acme: Company) -> None:
    root = await house.person("root", admin=True)
    machine = (await mint(house, root.client, owner="acme")).client
    assert (await machine.get("/toy/acme/files/ball.toy")).status_code == 200
    await alice.has("secret.toy", build_toy("secret"), private="true")
    assert (await machine.get("/toy/alice/files/secret.toy")).status_code == 404
