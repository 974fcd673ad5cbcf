"""Who holds up whom on PostgreSQL: nobody who may not change a thing; and what collides is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import anyio
import asyncpg
import pytest
from changes import ask, change, done, look, mutation
from entrepot.db.sql import execute, fetch
from ground import Ground, laid
from house import House, Person
from mover import Organization, member, organization
from other_host import Other
from toy import build_toy

RELEASES = '{ package(namespace: "acme", name: "ball") { id releases(first: 2) { nodes { id } } } namespace(name: "acme") { id } }'


@pytest.fixture
def ground() -> Iterator[Ground]:
    """PostgreSQL: that is what these tests are about."""
    with laid("fleet") as ground:
        yield ground


@pytest.fixture
async def acme(alice: Person) -> Organization:
    """An organization of alice's."""
    return await organization("acme", alice)


@pytest.fixture
async def others(house: House, ground: Ground) -> AsyncIterator[list[Other]]:
    connections = [await asyncpg.connect(ground.environment["ENTREPOT_DATABASE_URL"]) for _ in range(2)]
    yield [Other(one) for one in connections]
    for one in connections:
        await one.close()


async def test_who_may_not_do_it_is_told_so_at_once_and_waits_for_nobody(
    house: House, alice: Person, bob: Person, acme: Organization, others: list[Other]
) -> None:
    await alice.has("ball.toy", build_toy("ball"), to="acme")
    await member(acme, bob, "read", group="readers")
    found = await look(alice.client, RELEASES)
    package, [release] = found["package"]["id"], found["package"]["releases"]["nodes"]
    groups = await look(alice.client, '{ namespace(name: "acme") { ... on Organization { groups(first: 9) { nodes { id name } } } } }')
    [readers] = [one["id"] for one in groups["namespace"]["groups"]["nodes"] if one["name"] == "readers"]
    namespace = found["namespace"]["id"]
    inputs = {
        "updateNamespace": {"namespaceId": namespace, "displayName": "x"},
        "deleteOrganization": {"organizationId": namespace, "confirmation": "acme"},
        "createGroup": {"organization": "acme", "name": "x", "permission": "READ"},
        "updateGroup": {"groupId": readers, "name": "x"},
        "removeGroupMember": {"groupId": readers, "user": "alice"},
        "lockLabel": {"namespace": "acme", "label": "main"},
        "updatePackage": {"packageId": package, "summary": "x"},
        "deletePackage": {"packageId": package, "confirmation": "acme/ball"},
        "removeRelease": {"releaseId": release["id"]},
        "removeFiles": {"files": {"packageId": package}},
    }
    [publisher, _] = others
    await publisher.run("BEGIN")
    await publisher.run("SELECT id FROM namespace WHERE name = 'acme' FOR SHARE")
    await publisher.run("SELECT id FROM package FOR UPDATE")
    with anyio.fail_after(30):
        for name, input in inputs.items():
            assert (await change(bob.client, name, input))["__typename"] == "PermissionDeniedError", name
            answer = await ask(house.anyone, mutation(name), input=input)
            kind = "UNAUTHENTICATED" if "errors" in answer else answer["data"]["result"]["__typename"]
            assert kind in ("UNAUTHENTICATED", "NotFoundError"), (name, answer)
    await publisher.run("ROLLBACK")


async def test_a_change_of_a_package_that_is_being_transferred_holds_the_namespace_that_it_comes_to(
    house: House, alice: Person, acme: Organization, others: list[Other]
) -> None:
    """Else a label could be locked there, and answered, while a change that has not heard of it goes on."""
    package = (await done(alice.client, "createPackage", {"namespace": "alice", "name": "ball"}, "package { id }"))["package"]["id"]
    mover, locker = others
    await mover.holds("ball")
    task = asyncio.create_task(done(alice.client, "updatePackage", {"packageId": package, "summary": "round"}))
    await mover.blocks(task)
    await mover.run("UPDATE package SET namespace_id = $1 WHERE name = 'ball'", acme.id)
    await locker.run("BEGIN")
    await locker.run("SELECT id FROM namespace WHERE name = 'acme' FOR NO KEY UPDATE")
    await mover.run("COMMIT")
    await locker.blocks(task)
    await locker.run("COMMIT")
    with anyio.fail_after(20):
        await task
    assert [row["subject"] for row in await fetch("SELECT subject FROM audit_event WHERE action = 'package.update'")] == ["acme/ball"]


@pytest.mark.parametrize("name", ["removeFiles", "removeRelease", "deletePackage"])
async def test_what_removes_files_while_their_downloads_are_written_is_done_at_the_second_try(
    house: House, alice: Person, others: list[Other], name: str
) -> None:
    for basename in ("a.toy", "b.toy"):
        await alice.has(basename, build_toy("ball", "1", basename.encode()))
    first, second = [row["id"] for row in await fetch("SELECT id FROM file ORDER BY id")]
    await execute("INSERT INTO download (file_id, day, count) VALUES ($1, 1, 1)", second)
    found = (await look(alice.client, RELEASES.replace("acme", "alice")))["package"]
    inputs = {
        "removeFiles": {"files": {"packageId": found["id"]}},
        "removeRelease": {"releaseId": found["releases"]["nodes"][0]["id"]},
        "deletePackage": {"packageId": found["id"], "confirmation": "alice/ball"},
    }
    [counter, _] = others
    await counter.run("BEGIN")
    await counter.run("UPDATE download SET count = count + 1 WHERE file_id = $1", second)
    task = asyncio.create_task(change(alice.client, name, inputs[name]))
    await counter.blocks(task)
    with anyio.fail_after(20):
        await counter.run("INSERT INTO download (file_id, day, count) VALUES ($1, 1, 1)", first)  # now each waits for the other
        await counter.run("COMMIT")
        assert (await task)["__typename"] == name[0].upper() + name[1:] + "Payload"
    assert await fetch("SELECT id FROM file") == []
