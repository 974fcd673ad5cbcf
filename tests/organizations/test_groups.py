"""Groups: what they give, who changes them, and `owners`, which cannot go."""

from __future__ import annotations

import pytest
from changes import change, done, events, look, refused, stopped
from company import Company, found_company
from entrepot.db.sql import fetch
from entrepot.services.tokens import create_token
from entrepot.services.users import set_disabled
from house import House, Person
from toy import build_toy

LEVELS = """query ($namespace: String!) { namespace(name: $namespace) { viewerPermission packages { nodes { name viewerPermission } } } }"""


async def levels(person: Person, namespace: str = "acme") -> tuple[str, dict[str, str]]:
    """What somebody may do with a namespace, and with each package that shows there."""
    found = (await look(person.client, LEVELS, namespace=namespace))["namespace"]
    return found["viewerPermission"], {one["name"]: one["viewerPermission"] for one in found["packages"]["nodes"]}


@pytest.fixture
async def ball(acme: Company) -> str:
    """The id of a private package of the organization."""
    return await acme.package("ball")


@pytest.fixture
async def car(acme: Company) -> str:
    """The id of another one."""
    return await acme.package("car")


@pytest.mark.parametrize("permission", ["READ", "WRITE", "ADMIN"])
async def test_a_group_on_everything_gives_its_level_on_the_namespace_and_each_package(
    acme: Company, bob: Person, ball: str, permission: str
) -> None:
    assert await levels(bob) == ("READ", {})
    await acme.group("staff", permission, bob, everything=True)
    assert await levels(bob) == (permission, {"ball": permission})
    await acme.package("new")
    assert await levels(bob) == (permission, {"ball": permission, "new": permission})


@pytest.mark.parametrize("permission", ["READ", "WRITE", "ADMIN"])
async def test_a_group_on_named_packages_gives_its_level_on_them_alone(acme: Company, bob: Person, ball: str, car: str, permission: str) -> None:
    await acme.group("players", permission, bob, packages={"ball": ball})
    assert await levels(bob) == ("READ", {"ball": permission})


async def test_the_highest_level_counts(acme: Company, bob: Person, ball: str, car: str) -> None:
    await acme.group("readers", "READ", bob, everything=True)
    await acme.group("players", "WRITE", bob, packages={"ball": ball})
    await acme.group("chiefs", "ADMIN", bob, packages={"ball": ball})
    assert await levels(bob) == ("READ", {"ball": "ADMIN", "car": "READ"})


async def test_a_group_changes_what_it_gives_and_is_about(acme: Company, bob: Person, ball: str, car: str) -> None:
    group = await acme.group("players", "READ", bob, packages={"ball": ball})
    wanted = "group { name permission everything packages { nodes { name } } }"

    async def update(**changes: object) -> object:
        return (await done(acme.owner.client, "updateGroup", {"groupId": group, **changes}, wanted))["group"]

    named = {"nodes": [{"name": "ball"}]}
    assert await update(permission="WRITE") == {"name": "players", "permission": "WRITE", "everything": False, "packages": named}
    assert await levels(bob) == ("READ", {"ball": "WRITE"})
    assert await update(name="Team", permission=None) == {"name": "Team", "permission": "WRITE", "everything": False, "packages": named}
    assert await update(everything=True) == {"name": "Team", "permission": "WRITE", "everything": True, "packages": {"nodes": []}}
    assert await levels(bob) == ("WRITE", {"ball": "WRITE", "car": "WRITE"})
    assert await update(everything=False) == {"name": "Team", "permission": "WRITE", "everything": False, "packages": {"nodes": []}}
    assert await levels(bob) == ("READ", {})
    await update(everything=False, name="Team")
    assert [details for _, _, details in await events("group.update")] == [
        {"permission": "write"},
        {"name": "Team"},
        {"everything": True},
        {"everything": False},
    ]


async def test_what_a_group_gave_ends_with_it(acme: Company, bob: Person, ball: str) -> None:
    group = await acme.group("staff", "ADMIN", bob, everything=True)
    assert (await levels(bob))[0] == "ADMIN"
    made = await done(acme.owner.client, "deleteGroup", {"groupId": group}, "deletedId name organization { name }")
    assert made == {"deletedId": group, "name": "staff", "organization": {"name": "acme"}}
    assert await levels(bob) == ("READ", {})
    assert (await refused(acme.owner.client, "deleteGroup", {"groupId": group}))[0] == "NotFoundError"


async def test_doing_it_twice_is_no_error_and_changes_nothing(acme: Company, bob: Person, ball: str) -> None:
    group = await acme.group("staff", "READ")
    assert [await acme.join(group, bob) for _ in range(3)] == [True, False, False]
    input = {"groupId": group, "packageId": ball}
    for name, expected in (("addGroupPackage", [True, False]), ("removeGroupPackage", [True, False])):
        assert [(await done(acme.owner.client, name, input, "changed"))["changed"] for _ in range(2)] == expected
    assert [await acme.leave(group, bob, by=acme.owner) for _ in range(2)] == [True, False]
    assert await events("group.add-member") == [("alice", "acme: staff", {"user": "bob"})]
    assert await events("group.remove-member") == [("alice", "acme: staff", {"user": "bob"})]
    assert await events("group.add-package") == [("alice", "acme: staff", {"package": "ball"})]
    assert await events("group.remove-package") == [("alice", "acme: staff", {"package": "ball"})]


async def test_names_of_groups_are_unique_in_their_organization_in_whatever_case(acme: Company, alice: Person) -> None:
    staff = await acme.group("Staff", "READ")
    for name in ("staff", "STAFF", "owners", "Owners"):
        input = {"organization": "acme", "name": name, "permission": "ADMIN", "everything": True}
        assert (await refused(alice.client, "createGroup", input))[0] == "ConflictError"
        if name != "staff" and name != "STAFF":
            assert (await refused(alice.client, "updateGroup", {"groupId": staff, "name": name}))[0] == "ConflictError"
    await done(alice.client, "updateGroup", {"groupId": staff, "name": "staff"})
    other = await found_company(acme.house, alice, "other")
    await other.group("staff", "READ")


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "a\0", "x" * 65, "stаff", "staff\u200b", "-staff"], ids=ascii)
async def test_names_that_no_group_can_have_are_refused(acme: Company, alice: Person, name: str) -> None:
    staff = await acme.group("staff", "READ")
    result = await change(alice.client, "createGroup", {"organization": "acme", "name": name, "permission": "READ"})
    assert (result["__typename"], result["field"]) == ("ValidationError", "name")
    result = await change(alice.client, "updateGroup", {"groupId": staff, "name": name})
    assert (result["__typename"], result["field"]) == ("ValidationError", "name")


async def test_users_have_no_groups_and_organizations_are_no_members(house: House, acme: Company, alice: Person) -> None:
    await found_company(house, alice, "other")
    result = await change(alice.client, "createGroup", {"organization": "alice", "name": "friends", "permission": "READ"})
    assert (result["__typename"], result["field"]) == ("ValidationError", "organization")
    for missing in ("nobody", "x" * 5000, "a\0b", ""):
        kind, _ = await refused(alice.client, "createGroup", {"organization": missing, "name": "x", "permission": "READ"})
        assert kind == "NotFoundError"
    group = await acme.group("staff", "READ")
    for name in ("other", "ACME"):
        result = await change(alice.client, "addGroupMember", {"groupId": group, "user": name})
        assert (result["__typename"], result["field"]) == ("ValidationError", "user")
    for missing in ("nobody", "x" * 5000, "bоb", "a\0b", "", " bob"):
        for mutation in ("addGroupMember", "removeGroupMember"):
            kind, message = await refused(alice.client, mutation, {"groupId": group, "user": missing})
            assert kind == "NotFoundError"
            assert len(message) < 300
    assert await acme.members(group) == []


async def test_a_disabled_user_is_given_nothing_and_can_be_taken_out(acme: Company, bob: Person, carol: Person) -> None:
    group = await acme.group("staff", "READ", carol)
    for person in (bob, carol):
        await set_disabled(name=person.name, disabled=True)
    assert (await refused(acme.owner.client, "addGroupMember", {"groupId": group, "user": "bob"}))[0] == "ConflictError"
    assert await acme.leave(group, carol, by=acme.owner)
    assert await acme.members(group) == []


async def test_a_group_is_about_packages_of_its_own_organization(house: House, acme: Company, alice: Person, bob: Person, ball: str) -> None:
    await alice.has("mine.toy", build_toy("mine"))
    await bob.has("secret.toy", build_toy("secret"), private="true")
    mine = (await look(alice.client, '{ package(namespace: "alice", name: "mine") { id } }'))["package"]["id"]
    secret = (await look(bob.client, '{ package(namespace: "bob", name: "secret") { id } }'))["package"]["id"]
    group = await acme.group("staff", "READ")
    result = await change(alice.client, "addGroupPackage", {"groupId": group, "packageId": mine})
    assert (result["__typename"], result["field"]) == ("ValidationError", "packageId")
    assert (await refused(alice.client, "addGroupPackage", {"groupId": group, "packageId": secret}))[0] == "NotFoundError"
    everything = await acme.group("all", "READ", everything=True)
    assert (await refused(alice.client, "addGroupPackage", {"groupId": everything, "packageId": ball}))[0] == "ConflictError"
    for wrong in (group, acme.id, "", "x" * 5000):
        result = await change(alice.client, "addGroupPackage", {"groupId": group, "packageId": wrong})
        assert (result["__typename"], result["field"]) == ("ValidationError", "packageId")
        if wrong != group:
            result = await change(alice.client, "addGroupMember", {"groupId": wrong, "user": "bob"})
            assert (result["__typename"], result["field"]) == ("ValidationError", "groupId")
    assert not await fetch("SELECT id FROM group_package")


CHANGES = ["createGroup", "updateGroup", "deleteGroup", "addGroupMember", "removeGroupMember", "addGroupPackage", "removeGroupPackage"]


def change_of(name: str, group: str, package: str) -> dict[str, object]:
    """The input of a mutation that changes a group."""
    if name == "createGroup":
        return {"organization": "acme", "name": "more", "permission": "ADMIN", "everything": True}
    more = {"updateGroup": {"permission": "ADMIN"}, "addGroupMember": {"user": "carol"}, "removeGroupMember": {"user": "alice"}}
    return {"groupId": group, **more.get(name, {"packageId": package} if "Package" in name else {})}


@pytest.mark.parametrize("name", CHANGES)
async def test_who_does_not_administer_the_organization_changes_no_group(
    house: House, acme: Company, alice: Person, bob: Person, carol: Person, ball: str, name: str
) -> None:
    group = await acme.group("staff", "WRITE", bob, alice, everything=True)
    input = change_of(name, group, ball)
    before = [dict(row) for table in ("member_group", "group_member", "group_package") for row in await fetch(f"SELECT * FROM {table} ORDER BY id")]
    assert (await refused(bob.client, name, input))[0] == "PermissionDeniedError"
    stranger = (await refused(carol.client, name, input))[0]
    assert stranger == ("PermissionDeniedError" if name == "createGroup" else "NotFoundError")
    robot = house.client(Authorization=f"Bearer {await create_token(house.site.registry, owner='acme', name='robot')}")
    assert (await refused(robot, name, input))[0] == "PermissionDeniedError"
    assert await stopped(house.anyone, name, input) == "UNAUTHENTICATED"
    assert await stopped(await alice.scoped("api:read", "toy"), name, input) == "PERMISSION_DENIED"
    after = [dict(row) for table in ("member_group", "group_member", "group_package") for row in await fetch(f"SELECT * FROM {table} ORDER BY id")]
    assert after == before


async def test_an_administrator_who_is_no_owner_changes_groups_but_not_the_owners(acme: Company, alice: Person, bob: Person, carol: Person) -> None:
    admins = await acme.group("admins", "ADMIN", bob, everything=True)
    assert await acme.join(admins, carol, by=bob)
    await done(bob.client, "createGroup", {"organization": "acme", "name": "staff", "permission": "READ"})
    for name, more in (("addGroupMember", {"user": "bob"}), ("removeGroupMember", {"user": "alice"}), ("updateGroup", {"permission": "READ"})):
        kind, message = await refused(bob.client, name, {"groupId": acme.owners, **more})
        assert (kind, message) == ("PermissionDeniedError", "bob may not change who owns acme: its owners do, and the administrators of this site.")
    assert (await refused(bob.client, "deleteGroup", {"groupId": acme.owners}))[0] == "PermissionDeniedError"
    assert await acme.members(acme.owners) == ["alice"]


async def test_who_administers_the_site_changes_the_owners_too(house: House, acme: Company, bob: Person) -> None:
    root = await house.person("root", admin=True)
    assert await acme.join(acme.owners, bob, by=root)
    assert await acme.leave(acme.owners, acme.owner, by=root)
    assert await levels(bob) == ("ADMIN", {})
    assert await levels(acme.owner) == ("READ", {})


async def test_owners_stands(acme: Company, alice: Person, ball: str) -> None:
    for change_of_it in ({"name": "bosses"}, {"permission": "READ"}, {"everything": False}, {"name": "Owners"}):
        assert (await refused(alice.client, "updateGroup", {"groupId": acme.owners, **change_of_it}))[0] == "ConflictError"
    assert (await refused(alice.client, "deleteGroup", {"groupId": acme.owners}))[0] == "ConflictError"
    assert (await refused(alice.client, "addGroupPackage", {"groupId": acme.owners, "packageId": ball}))[0] == "ConflictError"
    await done(alice.client, "updateGroup", {"groupId": acme.owners, "name": "owners", "permission": "ADMIN", "everything": True})
    assert await levels(alice) == ("ADMIN", {"ball": "ADMIN"})


async def test_the_last_owner_who_is_not_disabled_stays(house: House, acme: Company, alice: Person, bob: Person) -> None:
    input = {"groupId": acme.owners, "user": "alice"}
    kind, message = await refused(alice.client, "removeGroupMember", input)
    assert (kind, message[:34]) == ("ConflictError", "alice is the last owner of acme wh")
    await acme.join(acme.owners, bob)
    await set_disabled(name="bob", disabled=True)
    assert (await refused(alice.client, "removeGroupMember", input))[0] == "ConflictError"
    assert await acme.leave(acme.owners, bob, by=alice)
    await set_disabled(name="bob", disabled=False)
    await acme.join(acme.owners, bob)
    assert await acme.leave(acme.owners, alice)
    assert await levels(bob) == ("ADMIN", {})
    root = await house.person("root", admin=True)
    await set_disabled(name="bob", disabled=True)
    assert (await refused(root.client, "removeGroupMember", {"groupId": acme.owners, "user": "bob"}))[0] == "ConflictError"


async def test_members_leave_by_themselves_and_take_nobody_along(acme: Company, bob: Person, carol: Person, ball: str) -> None:
    group = await acme.group("staff", "READ", bob, carol, everything=True)
    assert (await refused(bob.client, "removeGroupMember", {"groupId": group, "user": "carol"}))[0] == "PermissionDeniedError"
    made = await done(bob.client, "removeGroupMember", {"groupId": group, "user": "BOB"}, "changed group { name }")
    assert made == {"changed": True, "group": None}
    assert await acme.members(group) == ["carol"]
    assert await levels(bob) == ("READ", {})
    assert (await refused(bob.client, "removeGroupMember", {"groupId": group, "user": "bob"}))[0] == "NotFoundError"


async def test_what_a_request_changes_counts_for_what_it_asks_next(acme: Company, alice: Person, bob: Person) -> None:
    await acme.join(acme.owners, bob)
    query = """mutation ($leave: RemoveGroupMemberInput!, $create: CreateGroupInput!) {
        leave: removeGroupMember(input: $leave) { __typename ... on RemoveGroupMemberPayload { group { name } } }
        create: createGroup(input: $create) { __typename } }"""
    leave, create = {"groupId": acme.owners, "user": "alice"}, {"organization": "acme", "name": "back", "permission": "ADMIN", "everything": True}
    found = await look(alice.client, query, leave=leave, create=create)
    assert found == {"leave": {"__typename": "RemoveGroupMemberPayload", "group": None}, "create": {"__typename": "PermissionDeniedError"}}
