"""`createOrganization`, `updateNamespace`: who may, and what an organization is like."""

from __future__ import annotations

from typing import Any

import pytest
from changes import change, done, events, look, refused, stopped
from company import Company, found_company
from entrepot.db.sql import execute, fetch
from entrepot.services.tokens import create_token
from house import House, Person, sentence
from toy import build_toy

SHOWN = """organization { __typename name displayName description viewerPermission viewerCanCreatePackages viewerCanAdminister
    groups { totalCount nodes { name permission everything members { nodes { name } } packages { totalCount } } } members { nodes { name } } }"""


async def test_who_creates_an_organization_is_its_first_owner(house: House, alice: Person) -> None:
    made = await done(alice.client, "createOrganization", {"name": "Acme", "displayName": "ACME Ltd.", "description": "Anvils."}, SHOWN)
    owners = {"name": "owners", "permission": "ADMIN", "everything": True, "members": {"nodes": [{"name": "alice"}]}, "packages": {"totalCount": 0}}
    assert made["organization"] == {
        "__typename": "Organization",
        "name": "Acme",
        "displayName": "ACME Ltd.",
        "description": "Anvils.",
        "viewerPermission": "ADMIN",
        "viewerCanCreatePackages": True,
        "viewerCanAdminister": True,
        "groups": {"totalCount": 1, "nodes": [owners]},
        "members": {"nodes": [{"name": "alice"}]},
    }
    assert await events("organization.create") == [("alice", "Acme", {"owners": ["alice"]})]


async def test_the_same_token_works_in_every_namespace_that_its_user_was_given(house: House, alice: Person, acme: Company) -> None:
    other = await found_company(house, alice, "other")
    for namespace in ("alice", acme.name, other.name):
        assert (await alice.put("ball.toy", build_toy("ball"), to=namespace)).status_code == 201
        assert "ball.toy" in (await house.anyone.get(f"/toy/{namespace}/listing")).text


async def test_a_user_creates_only_so_many_ever(house: House, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.site.settings, "organizations_per_user", 2)
    for name in ("one", "two"):
        made = await done(alice.client, "createOrganization", {"name": name}, "organization { id }")
        await done(alice.client, "deleteOrganization", {"organizationId": made["organization"]["id"], "confirmation": name})
    kind, message = await refused(alice.client, "createOrganization", {"name": "three"})
    assert (kind, "has created 2 organizations" in message) == ("PermissionDeniedError", True)
    assert (await refused(bob.client, "createOrganization", {"name": "bob"}))[0] == "ConflictError"  # what is not created does not count
    for name in ("three", "four"):
        await done(bob.client, "createOrganization", {"name": name})
    assert (await refused(bob.client, "createOrganization", {"name": "five"}))[0] == "PermissionDeniedError"
    root = await house.person("root", admin=True)
    for name in ("five", "six", "seven"):
        await done(root.client, "createOrganization", {"name": name})


@pytest.mark.parametrize(
    "name",
    ["", " ", "a/b", "..", ".x", "a\0b", "a" * 65, "аcme", "acme\u200b", "acme\n", "ACMÉ", "upload", "GraphQL", "toy", "t", "org", "-x", "%2e"],
    ids=ascii,
)
async def test_names_that_cannot_be_are_refused(house: House, alice: Person, name: str) -> None:
    result = await change(alice.client, "createOrganization", {"name": name})
    assert result["__typename"] == "ValidationError", result
    assert [row["name"] for row in await fetch("SELECT name FROM namespace")] == ["alice"]


async def test_a_name_is_taken_by_users_and_organizations_alike_in_whatever_case(alice: Person, bob: Person, acme: Company) -> None:
    for name in ("acme", "ACME", "bob", "Bob", "alice"):
        kind, message = await refused(alice.client, "createOrganization", {"name": name})
        assert (kind, message) == ("ConflictError", f"The name {name} is taken. Choose another name.")


async def test_texts_that_are_none_are_refused(alice: Person, acme: Company) -> None:
    wrong: list[tuple[str, str]] = [
        ("displayName", "x" * 129),
        ("displayName", "two\nlines"),
        ("displayName", "\u202eemca"),
        ("displayName", "a\0"),
        ("description", "x" * 20_001),
        ("description", "a\0"),
    ]
    for field, text in wrong:
        for name, input in (("createOrganization", {"name": "new"}), ("updateNamespace", {"namespaceId": acme.id})):
            result = await change(alice.client, name, {**input, field: text})
            assert (result["__typename"], result["field"]) == ("ValidationError", field), (name, field, text[:20])
    assert not await fetch("SELECT id FROM namespace WHERE name = 'new'")


async def test_it_takes_a_user_and_the_scope_to_write(house: House, alice: Person, acme: Company) -> None:
    input = {"name": "new"}
    assert await stopped(house.anyone, "createOrganization", input) == "UNAUTHENTICATED"
    assert await stopped(await alice.scoped("api:read", "repos"), "createOrganization", input) == "PERMISSION_DENIED"
    token = await create_token(house.site.registry, owner="acme", name="robot")
    assert (await refused(house.client(Authorization=f"Bearer {token}"), "createOrganization", input))[0] == "PermissionDeniedError"
    bound = await alice.new_token("all")
    await execute("UPDATE token SET package_id = $1 WHERE name = 'another'", (await _package(alice))["id"])
    assert (await refused(house.client(Authorization=f"Bearer {bound}"), "createOrganization", input))[0] == "PermissionDeniedError"
    assert not await fetch("SELECT id FROM namespace WHERE name = 'new'")


async def _package(person: Person) -> Any:
    await person.has("ball.toy", build_toy("ball"))
    [row] = await fetch("SELECT package.id FROM package JOIN namespace ON namespace.id = namespace_id WHERE namespace.name = $1", person.name)
    return row


NAMESPACE = "namespace { name displayName description defaultVisibility }"


async def test_a_namespace_says_what_its_administrators_say(house: House, alice: Person, bob: Person, acme: Company) -> None:
    made = await done(alice.client, "updateNamespace", {"namespaceId": acme.id, "displayName": "ACME"}, NAMESPACE)
    assert made["namespace"] == {"name": "acme", "displayName": "ACME", "description": "", "defaultVisibility": "PUBLIC"}
    made = await done(alice.client, "updateNamespace", {"namespaceId": acme.id, "description": "Anvils.", "displayName": None}, NAMESPACE)
    assert made["namespace"] == {"name": "acme", "displayName": "ACME", "description": "Anvils.", "defaultVisibility": "PUBLIC"}
    await done(alice.client, "updateNamespace", {"namespaceId": acme.id, "description": "Anvils."})
    shown = await look(house.anyone, '{ namespace(name: "acme") { displayName description defaultVisibility viewerCanAdminister } }')
    assert shown["namespace"] == {"displayName": "ACME", "description": "Anvils.", "defaultVisibility": None, "viewerCanAdminister": False}
    assert [details for _, _, details in await events("namespace.update")] == [{"changed": ["display_name"]}, {"changed": ["description"]}]
    for client in (bob.client, await bob.scoped("api")):
        assert (await refused(client, "updateNamespace", {"namespaceId": acme.id, "description": "x"}))[0] == "PermissionDeniedError"
    assert await stopped(house.anyone, "updateNamespace", {"namespaceId": acme.id, "description": "x"}) == "UNAUTHENTICATED"


async def test_new_packages_are_as_visible_as_the_namespace_has_it(house: House, alice: Person) -> None:
    own = (await look(alice.client, "{ viewer { id } }"))["viewer"]["id"]
    made = await done(alice.client, "updateNamespace", {"namespaceId": own, "defaultVisibility": "PRIVATE"}, NAMESPACE)
    assert made["namespace"]["defaultVisibility"] == "PRIVATE"
    await alice.has("ball.toy", build_toy("ball"))
    sentence(await house.anyone.get("/toy/alice/files/ball.toy"), 404)
    await done(alice.client, "updateNamespace", {"namespaceId": own, "defaultVisibility": "PUBLIC"})
    await alice.has("car.toy", build_toy("car"))
    assert (await house.anyone.get("/toy/alice/files/car.toy")).status_code == 200
    assert [one for _, _, one in await events("namespace.update")] == [
        {"changed": ["default_visibility"], "default_visibility": "private"},
        {"changed": ["default_visibility"], "default_visibility": "public"},
    ]


async def test_ids_of_other_things_are_refused(alice: Person, acme: Company) -> None:
    await alice.has("ball.toy", build_toy("ball"), to="acme")
    found = await look(alice.client, '{ viewer { id tokens { nodes { id } } } package(namespace: "acme", name: "ball") { id } }')
    others = [found["package"]["id"], found["viewer"]["tokens"]["nodes"][0]["id"], acme.owners, "", "AAAA", "x" * 5000, "\0"]
    for id in others:
        result = await change(alice.client, "updateNamespace", {"namespaceId": id, "description": "x"})
        assert (result["__typename"], result["field"]) == ("ValidationError", "namespaceId"), result
        result = await change(alice.client, "deleteOrganization", {"organizationId": id, "confirmation": "acme"})
        assert (result["__typename"], result["field"]) == ("ValidationError", "organizationId"), result
    kind, _ = await refused(alice.client, "deleteOrganization", {"organizationId": found["viewer"]["id"], "confirmation": "alice"})
    assert kind == "ValidationError"
    assert len(await fetch("SELECT id FROM namespace")) == 2
