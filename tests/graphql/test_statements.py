"""The number of statements does not grow with the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from entrepot.db.models import Collaborator, Group, GroupMember, GroupPackage, Namespace, User
from entrepot.services.credentials import confirmed
from stock import Ask, Stock, user

EVERYTHING = """{ packages(first: 100) { totalCount nodes {
    id name viewerPermission downloads namespace { name labels { name } packages(first: 2) { totalCount nodes { name } } }
    types { name } labels { name namespace { name } } facets { type ... on BookFacet { fileCount } } installCommands { commands }
    latestRelease { version package { name } }
    releases(first: 2) { totalCount nodes { version files(first: 2) { totalCount nodes { path } } } }
    files(first: 3) { totalCount edges { cursor } nodes {
        id path downloads downloadUrl labels { name } uploadedBy { name } package { name } release { version }
        ... on BookFile { author notes } } }
} } }"""

Statements = Callable[[], AbstractContextManager[Counter[str]]]


async def add(stock: Stock, owner: Namespace, name: str) -> None:
    package = await stock.package(owner, name)
    for version in ("1.0", "2.0"):
        await stock.file(package, version, by=owner, labels=("main", name), extras=("cover",))
        await stock.file(package, version, type="map")


async def test_a_query_for_everything_takes_as_many_statements_for_12_packages_as_for_2(ask: Ask, stock: Stock, statements: Statements) -> None:
    alice, bob = await stock.namespace("alice"), await stock.namespace("bob")
    await add(stock, alice, "p0")
    await add(stock, bob, "p1")
    with statements() as few:
        first = await ask.on(graphql_max_cost=10_000_000)(EVERYTHING)
        before = few.total()
    for number in range(5):
        await add(stock, alice, f"a{number}")
        await add(stock, bob, f"b{number}")
    with statements() as many:
        second = await ask.on(graphql_max_cost=10_000_000)(EVERYTHING)
        after = many.total()
    assert (len(first["packages"]["nodes"]), len(second["packages"]["nodes"])) == (2, 12)
    assert after == before
    assert 10 < before < 30


async def test_only_what_is_asked_for_is_read(ask: Ask, stock: Stock, statements: Statements) -> None:
    await add(stock, await stock.namespace("alice"), "moby")
    with statements() as seen:
        await ask("{ packages { nodes { name } } }")
    assert seen.total() == 1
    with statements() as seen:
        await ask("{ packages { nodes { files { nodes { path sha256 } } } } }")
    assert seen.total() == 4


async def test_a_failing_field_takes_no_other_with_it(ask: Ask, stock: Stock) -> None:
    """graphql-core cancels the siblings of a field that fails; another part of the answer may wait for the same rows."""
    alice = await stock.namespace("alice")
    for name in ("moby", "dick"):
        await stock.file(await stock.package(alice, name), by=alice)
    data, errors = await ask.both(
        """{
        broken: package(namespace: "alice", name: "moby") { namespace { name } types { name } labels { name } files(first: -1) { totalCount } }
        whole: package(namespace: "alice", name: "moby") { namespace { name } types { name } labels { name } files { nodes { uploadedBy { name } } } }
        }"""
    )
    assert data == {
        "broken": None,
        "whole": {
            "namespace": {"name": "alice"},
            "types": [{"name": "book"}],
            "labels": [{"name": "main"}],
            "files": {"nodes": [{"uploadedBy": {"name": "alice"}}]},
        },
    }
    assert errors == ["`first` must be from 1 to 100; here it is -1. Go on with `after` for more."]


BELONGING = """{ viewer { organizations(first: 50) { totalCount nodes { name viewerPermission
    members(first: 3) { totalCount nodes { name organizations(first: 2) { totalCount nodes { name } } } }
    groups(first: 5) { totalCount nodes { name permission viewerCanAdminister viewerCanLeave organization { name }
        members(first: 2) { totalCount nodes { name } } packages(first: 2) { totalCount nodes { name collaborators(first: 2) {
            totalCount nodes { name } } } } } }
} } } }"""


async def found(stock: Stock, name: str, *members: Namespace) -> None:
    """An organization with two groups of these members, and a package with a collaborator in the second."""
    organization = await stock.namespace(name, kind="organization")
    package = await stock.package(organization, f"{name}-package", private=True)
    for group, permission, everything in (("owners", "admin", True), ("staff", "write", False)):
        made = await Group.create(namespace=organization, name=group, name_key=group, permission=permission, everything=everything, created_at=1)
        for member in members:
            await GroupMember.create(group=made, user=member, added_at=1)
    await GroupPackage.create(group=made, package=package)
    await Collaborator.create(package=package, user=members[-1], added_at=1)


async def test_who_belongs_where_takes_as_many_statements_for_12_organizations_as_for_2(ask: Ask, stock: Stock, statements: Statements) -> None:
    alice, bob = await stock.namespace("alice"), await stock.namespace("bob")
    for person in (alice, bob):
        await User.create(namespace=person)

    async def asked() -> Ask:
        """As alice with what she was given by now."""
        actor = await confirmed(replace(user(alice), scopes=frozenset({"all"})))
        return ask.on(graphql_max_cost=10_000_000).as_(actor)

    for number in range(2):
        await found(stock, f"o{number}", alice, bob)
    as_alice = await asked()
    with statements() as few:
        first = (await as_alice(BELONGING))["viewer"]["organizations"]
        before = few.total()
    for number in range(2, 12):
        await found(stock, f"o{number:02}", alice, bob)
    as_alice = await asked()
    with statements() as many:
        second = (await as_alice(BELONGING))["viewer"]["organizations"]
        after = many.total()
    assert (first["totalCount"], second["totalCount"], len(second["nodes"])) == (2, 12, 12)
    [owners, staff] = first["nodes"][0]["groups"]["nodes"]
    assert (owners["viewerCanAdminister"], owners["viewerCanLeave"], owners["packages"]["totalCount"]) == (True, True, 0)
    assert staff["packages"]["nodes"] == [{"name": "o0-package", "collaborators": {"totalCount": 1, "nodes": [{"name": "bob"}]}}]
    assert first["nodes"][0]["members"]["nodes"][1] == {
        "name": "bob",
        "organizations": {"totalCount": 2, "nodes": [{"name": "o0"}, {"name": "o1"}]},
    }
    assert after == before
    assert 8 < before < 30
