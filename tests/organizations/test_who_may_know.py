"""Who belongs to an organization is known to its members, to its own tokens, and to who administers the site: to others its groups do not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from changes import change, done, look
from company import Company, found_company
from entrepot.db.sql import execute
from entrepot.services.tokens import create_token
from house import House, Person
from toy import build_toy

LOOK = """query ($group: ID!) {
    node(id: $group) { id ... on Group { name members { totalCount nodes { name } } packages { totalCount nodes { name } } organization { name } } }
    organization: namespace(name: "acme") { ... on Organization { groups { totalCount nodes { name } } members { totalCount nodes { name } } } }
    user: namespace(name: "bob") { ... on User { organizations { totalCount nodes { name } } } }
}"""
NOTHING = {"node": None, "organization": {"groups": None, "members": None}, "user": {"organizations": {"totalCount": 0, "nodes": []}}}


@pytest.fixture
async def group(acme: Company, bob: Person) -> str:
    """The id of a group of bob's about a private package; another private package stays beside it."""
    await acme.package("car")
    return await acme.group("players", "READ", bob, packages={"ball": await acme.package("ball")})


def everything(group: str, packages: list[str]) -> dict[str, Any]:
    """What somebody sees who may know."""
    return {
        "node": {
            "id": group,
            "name": "players",
            "members": {"totalCount": 1, "nodes": [{"name": "bob"}]},
            "packages": {"totalCount": len(packages), "nodes": [{"name": name} for name in packages]},
            "organization": {"name": "acme"},
        },
        "organization": {
            "groups": {"totalCount": 2, "nodes": [{"name": "owners"}, {"name": "players"}]},
            "members": {"totalCount": 2, "nodes": [{"name": "alice"}, {"name": "bob"}]},
        },
        "user": {"organizations": {"totalCount": 1, "nodes": [{"name": "acme"}]}},
    }


async def test_members_know(acme: Company, alice: Person, bob: Person, group: str) -> None:
    for person in (alice, bob):
        assert await look(person.client, LOOK, group=group) == everything(group, ["ball"])


async def test_a_member_of_a_group_on_nothing_knows_and_sees_no_package_that_he_may_not_read(
    acme: Company, carol: Person, bob: Person, group: str
) -> None:
    await acme.group("guests", "READ", carol)
    found = await look(carol.client, LOOK, group=group)
    assert found["node"] == everything(group, [])["node"]
    assert found["organization"]["members"]["totalCount"] == 3


async def test_who_administers_the_site_and_the_organizations_own_token_know(house: House, acme: Company, bob: Person, group: str) -> None:
    root = await house.person("root", admin=True)
    robot = house.client(Authorization=f"Bearer {await create_token(house.site.registry, owner='acme', name='robot')}")
    for client in (root.client, robot):
        assert await look(client, LOOK, group=group) == everything(group, ["ball"])


async def test_nobody_else_does(house: House, acme: Company, alice: Person, bob: Person, carol: Person, group: str) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    package = (await look(alice.client, '{ package(namespace: "alice", name: "ball") { id } }'))["package"]["id"]
    await done(alice.client, "addCollaborator", {"packageId": package, "user": "carol"})
    other = await found_company(house, carol, "other")
    robot = house.client(Authorization=f"Bearer {await create_token(house.site.registry, owner='other', name='robot')}")
    bound = house.client(Authorization=f"Bearer {await bob.new_token('all')}")
    await execute("UPDATE token SET package_id = (SELECT id FROM package WHERE name = 'ball' AND private) WHERE name = 'another'")
    for client in (house.anyone, carol.client, robot, bound):
        assert await look(client, LOOK, group=group) == NOTHING
    assert other.name == "other"


async def test_what_is_not_there_and_what_one_may_not_know_answer_alike(house: House, acme: Company, carol: Person, group: str) -> None:
    gone = await acme.group("gone", "READ")
    await done(acme.owner.client, "deleteGroup", {"groupId": gone})
    for name, more in (
        ("updateGroup", {"name": "x"}),
        ("deleteGroup", {}),
        ("addGroupMember", {"user": "carol"}),
        ("removeGroupMember", {"user": "x"}),
    ):
        answers = [await change(carol.client, name, {"groupId": id, **more}) for id in (group, gone)]
        assert answers[0] == answers[1]
        assert answers[0]["__typename"] == "NotFoundError"


async def test_members_see_of_each_other_the_organizations_that_they_share(house: House, acme: Company, bob: Person, carol: Person) -> None:
    await acme.group("staff", "READ", bob, carol)
    other = await found_company(house, bob, "other")
    await other.group("guests", "READ")
    query = '{ namespace(name: "bob") { ... on User { organizations { totalCount nodes { name viewerPermission } } } } }'
    shared = {"totalCount": 1, "nodes": [{"name": "acme", "viewerPermission": "READ"}]}
    assert (await look(carol.client, query))["namespace"]["organizations"] == shared
    own = (await look(bob.client, query))["namespace"]["organizations"]
    assert own == {"totalCount": 2, "nodes": [*shared["nodes"], {"name": "other", "viewerPermission": "ADMIN"}]}  # type: ignore[misc]


async def can(client: httpx.AsyncClient, group: str) -> tuple[bool, bool]:
    """Whether the viewer can administer a group, and leave it."""
    found = (await look(client, "query ($id: ID!) { node(id: $id) { ... on Group { viewerCanAdminister viewerCanLeave } } }", id=group))["node"]
    return found["viewerCanAdminister"], found["viewerCanLeave"]


async def test_a_page_can_show_only_what_works(house: House, acme: Company, alice: Person, bob: Person, carol: Person) -> None:
    staff = await acme.group("staff", "READ", carol)
    admins = await acme.group("admins", "ADMIN", bob, everything=True)
    root = await house.person("root", admin=True)
    clients: dict[str, Callable[[], httpx.AsyncClient]] = {
        one.name: lambda person=one: person.client  # type: ignore[misc]
        for one in (alice, bob, carol, root)
    }
    found = {name: [await can(client(), group) for group in (acme.owners, admins, staff)] for name, client in clients.items()}
    assert found == {
        "alice": [(True, False), (True, False), (True, False)],
        "bob": [(False, False), (True, True), (True, False)],
        "carol": [(False, False), (False, False), (False, True)],
        "root": [(True, False), (True, False), (True, False)],
    }
    await acme.join(acme.owners, carol)
    assert await can(alice.client, acme.owners) == (True, True)
    assert await can(await alice.scoped("api:read"), acme.owners) == (False, False)


async def test_lists_come_in_pages_each_item_once(acme: Company, alice: Person) -> None:
    for number in range(5):
        person = await acme.house.person(f"p{number}")
        group = await acme.group(f"g{number}", "READ", person)
        if number:
            await acme.join(group, alice)
    query = """query ($first: Int, $a: String, $b: String) { namespace(name: "acme") { ... on Organization {
        groups(first: $first, after: $a) {
            totalCount nodes { name members(first: 1) { totalCount nodes { name } } } pageInfo { endCursor hasNextPage } }
        members(first: $first, after: $b) { totalCount nodes { name } pageInfo { endCursor hasNextPage } } } } }"""
    groups: list[Any] = []
    members: list[str] = []
    a = b = None
    for _ in range(3):
        found = (await look(alice.client, query, first=2, a=a, b=b))["namespace"]
        assert (found["groups"]["totalCount"], found["members"]["totalCount"]) == (6, 6)
        groups += [(one["name"], one["members"]["totalCount"], one["members"]["nodes"][0]["name"]) for one in found["groups"]["nodes"]]
        members += [one["name"] for one in found["members"]["nodes"]]
        a, b = found["groups"]["pageInfo"]["endCursor"], found["members"]["pageInfo"]["endCursor"]
    assert not found["groups"]["pageInfo"]["hasNextPage"]
    assert groups == [("g0", 1, "p0"), *((f"g{number}", 2, "alice") for number in range(1, 5)), ("owners", 1, "alice")]
    assert members == ["alice", "p0", "p1", "p2", "p3", "p4"]
    cursor = (await look(alice.client, query, first=1))["namespace"]["members"]["pageInfo"]["endCursor"]
    answer = await alice.client.post("/graphql", json={"query": query, "variables": {"first": 1, "a": cursor}})
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
