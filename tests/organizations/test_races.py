"""Who changes what at once: an organization never loses its last owner, and nothing is left half given."""

from __future__ import annotations

import asyncio
from collections import Counter

from changes import change, done, look, package_of
from company import Company
from entrepot.db.sql import fetch
from house import House, Person


async def test_of_two_owners_who_leave_at_once_one_stays(acme: Company, alice: Person, bob: Person) -> None:
    for _ in range(6):
        await acme.join(acme.owners, bob)
        assert await acme.members(acme.owners) == ["alice", "bob"]
        leaves = [change(person.client, "removeGroupMember", {"groupId": acme.owners, "user": person.name}) for person in (alice, bob)]
        kinds = Counter(one["__typename"] for one in await asyncio.gather(*leaves))
        assert kinds == {"RemoveGroupMemberPayload": 1, "ConflictError": 1}
        [left] = [row["name"] for row in await fetch("SELECT name FROM group_member JOIN namespace ON namespace.id = user_id")]
        if left == "bob":
            await done(bob.client, "addGroupMember", {"groupId": acme.owners, "user": "alice"})


async def test_of_many_owners_who_put_each_other_out_at_once_one_stays(house: House, acme: Company, alice: Person) -> None:
    others = [await house.person(f"p{number}") for number in range(4)]
    for person in others:
        await acme.join(acme.owners, person)
    ring = [alice, *others]
    throws = [
        change(one.client, "removeGroupMember", {"groupId": acme.owners, "user": next_one.name})
        for one, next_one in zip(ring, [*others, alice], strict=True)
    ]
    kinds = Counter(one["__typename"] for one in await asyncio.gather(*throws))
    left = await fetch("SELECT user_id FROM group_member")
    assert len(left) == 5 - kinds["RemoveGroupMemberPayload"]
    assert len(left) >= 1
    assert set(kinds) <= {"RemoveGroupMemberPayload", "NotFoundError", "PermissionDeniedError"}


async def test_an_owner_who_is_put_out_changes_nothing_that_begins_afterwards(acme: Company, alice: Person, bob: Person) -> None:
    await acme.join(acme.owners, bob)
    creations = [
        change(bob.client, "createGroup", {"organization": "acme", "name": f"g{number}", "permission": "ADMIN", "everything": True})
        for number in range(6)
    ]
    _, *made = await asyncio.gather(done(alice.client, "removeGroupMember", {"groupId": acme.owners, "user": "bob"}), *creations)
    assert {one["__typename"] for one in made} <= {"CreateGroupPayload", "PermissionDeniedError"}
    groups = await fetch("SELECT id FROM member_group WHERE name <> 'owners'")
    assert len(groups) == sum(one["__typename"] == "CreateGroupPayload" for one in made)
    late = await change(bob.client, "createGroup", {"organization": "acme", "name": "late", "permission": "READ"})
    assert late["__typename"] == "PermissionDeniedError"


async def test_the_same_name_at_once_is_given_once(alice: Person, bob: Person, acme: Company) -> None:
    made = await asyncio.gather(*(change(person.client, "createOrganization", {"name": "New"}) for person in (alice, bob) for _ in range(4)))
    assert Counter(one["__typename"] for one in made) == {"CreateOrganizationPayload": 1, "ConflictError": 7}
    assert len(await fetch("SELECT id FROM member_group")) == 2
    input = {"organization": "acme", "name": "Staff", "permission": "READ"}
    made = await asyncio.gather(*(change(alice.client, "createGroup", input) for _ in range(6)))
    assert Counter(one["__typename"] for one in made) == {"CreateGroupPayload": 1, "ConflictError": 5}


async def test_the_same_member_at_once_is_added_once(acme: Company, alice: Person, bob: Person) -> None:
    group = await acme.group("staff", "READ")
    ball = await acme.package("ball")
    for name, input in (
        ("addGroupMember", {"groupId": group, "user": "bob"}),
        ("addGroupPackage", {"groupId": group, "packageId": ball}),
        ("addCollaborator", {"packageId": ball, "user": "bob"}),
    ):
        made = await asyncio.gather(*(change(alice.client, name, input, "changed") for _ in range(6)))
        assert Counter(one["changed"] for one in made) == {True: 1, False: 5}, name


async def test_a_group_that_is_deleted_while_it_changes_leaves_nothing(acme: Company, alice: Person, bob: Person) -> None:
    ball = await acme.package("ball")
    for number in range(4):
        group = await acme.group(f"g{number}", "READ")
        results = await asyncio.gather(
            change(alice.client, "addGroupMember", {"groupId": group, "user": "bob"}),
            change(alice.client, "addGroupPackage", {"groupId": group, "packageId": ball}),
            change(alice.client, "deleteGroup", {"groupId": group}),
            change(alice.client, "updateGroup", {"groupId": group, "permission": "ADMIN"}),
        )
        assert {one["__typename"] for one in results} <= {
            "AddGroupMemberPayload",
            "AddGroupPackagePayload",
            "DeleteGroupPayload",
            "UpdateGroupPayload",
            "NotFoundError",
        }
    assert not await fetch("SELECT id FROM group_package")
    assert len(await fetch("SELECT id FROM group_member")) == 1
    assert (await look(bob.client, "{ viewer { organizations { totalCount } } }"))["viewer"]["organizations"]["totalCount"] == 0


async def test_a_package_that_is_deleted_while_it_is_given_is_given_to_nobody(acme: Company, alice: Person, bob: Person) -> None:
    for number in range(4):
        name = f"ball{number}"
        ball = await acme.package(name)
        group = await acme.group(name, "READ", bob)
        results = await asyncio.gather(
            change(alice.client, "addGroupPackage", {"groupId": group, "packageId": ball}),
            change(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"}),
            change(alice.client, "deletePackage", {"packageId": ball, "confirmation": f"acme/{name}"}),
        )
        assert results[2]["__typename"] == "DeletePackagePayload"
        assert await package_of(bob.client, name, "acme") is None
    assert not await fetch("SELECT id FROM group_package")
    assert not await fetch("SELECT id FROM collaborator")
