"""`deleteOrganization`: everything goes, in short transactions, and the name never comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from changes import change, done, events, look, refused, stopped
from company import Company, found_company
from entrepot.db.sql import execute, fetch, transaction
from entrepot.services import deletions
from entrepot.services.credentials import confirmed
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from house import House, Person, sentence
from toy import build_toy, line_of

TABLES = """namespace member_group group_member group_package collaborator freed_package token package binding release file extra download label
    file_label entry head change shard tombstone staged_upload"""


async def everything() -> dict[str, int]:
    """How many rows each table holds that a namespace has rows in, without those that are empty."""
    tables = TABLES.split()
    counts = {table: (await fetch(f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables}
    return {table: count for table, count in counts.items() if count}


@pytest.fixture
async def full(house: House, alice: Person, bob: Person, acme: Company) -> Company:
    """An organization that has some of everything, beside a user's own package."""
    await alice.has("mine.toy", build_toy("mine"))
    for number in range(5):
        for version in ("1", "2"):
            body = build_toy(f"ball{number}", version)
            await alice.has(f"ball{number}-{version}.toy", body, to="acme", labels=["main", "dev"], private=str(number == 0).lower())
    for name in ("shards", "names", "page/ball1", "files/ball1-1.toy"):
        assert (await alice.client.get(f"/toy/acme/{name}")).status_code == 200
    ball = (await look(alice.client, '{ package(namespace: "acme", name: "ball0") { id } }'))["package"]["id"]
    await acme.group("players", "WRITE", bob, packages={"ball0": ball})
    await done(alice.client, "addCollaborator", {"packageId": ball, "user": "bob"})
    await create_token(house.site.registry, owner="acme", name="robot")
    await done(alice.client, "createUpload", {"namespace": "acme", "basename": "late.toy", "package": "late"})
    files = (await look(alice.client, '{ package(namespace: "acme", name: "ball1") { latestRelease { id } } }'))["package"]["latestRelease"]["id"]
    await done(alice.client, "removeRelease", {"releaseId": files})
    return acme


async def test_it_goes_with_everything_and_its_audit_stays(house: House, alice: Person, bob: Person, full: Company) -> None:
    robots = await fetch("SELECT count(*) AS n FROM token")
    made = await done(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": "acme"}, "deletedId name")
    assert made == {"deletedId": full.id, "name": "acme"}
    rows = await everything()
    left = {"namespace": 2, "token": 2, "package": 1, "binding": 1, "release": 1, "file": 1, "extra": 1, "label": 2, "file_label": 1, "entry": 1}
    assert rows == left | {"head": 1, "change": 1}
    assert robots[0]["n"] == 3
    assert await events("organization.delete") == [("alice", "acme", {"files": 9, "packages": 5})]
    assert await fetch("SELECT id FROM audit_event WHERE subject LIKE 'acme%' AND namespace_id IS NOT NULL") == []
    assert len(await fetch("SELECT id FROM audit_event WHERE subject LIKE 'acme/%'")) > 10
    for path in ("listing", "shards", "names", "page/ball1", "files/ball2-1.toy", "label/dev/listing"):
        sentence(await alice.client.get(f"/toy/acme/{path}"), 404)
    found = await look(alice.client, 'query ($id: ID!) { node(id: $id) { id } namespace(name: "acme") { id } packages { totalCount } }', id=full.id)
    assert found == {"node": None, "namespace": None, "packages": {"totalCount": 1}}
    sentence(await alice.put("ball.toy", build_toy("ball"), to="acme"), 404)
    assert (await refused(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": "acme"}))[0] == "NotFoundError"


async def test_its_tokens_and_one_time_urls_are_dead(house: House, alice: Person, acme: Company) -> None:
    token = await create_token(house.site.registry, owner="acme", name="robot")
    upload = await done(alice.client, "createUpload", {"namespace": "acme", "basename": "late.toy", "package": "late"}, "url")
    robot = house.client(Authorization=f"Bearer {token}")
    assert (await robot.get("/toy/acme/listing")).status_code == 200
    await done(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    sentence(await robot.get("/toy/alice/listing"), 401)
    sentence(await house.anyone.put(upload["url"], content=build_toy("late")), 404)


async def test_the_name_is_taken_for_ever_by_whoever_asks(house: House, alice: Person, bob: Person, acme: Company) -> None:
    await done(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    for client in (alice.client, bob.client):
        for name in ("acme", "Acme"):
            kind, message = await refused(client, "createOrganization", {"name": name})
            assert (kind, message) == ("ConflictError", f"The name {name} is taken. Choose another name.")
    with pytest.raises(Exception, match="The name ACME is taken"):
        await create_user(house.site.registry, name="ACME", password=None, admin=False)
    assert len(await fetch("SELECT id FROM namespace")) == 2


async def test_without_its_full_name_nothing_is_deleted(alice: Person, full: Company) -> None:
    before = await everything()
    for confirmation in ("", "Acme", "acme ", "alice", "acme/"):
        result = await change(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": confirmation})
        assert (result["__typename"], result["field"]) == ("ValidationError", "confirmation")
    assert await everything() == before


async def test_who_may_not_deletes_nothing(house: House, alice: Person, bob: Person, carol: Person, full: Company) -> None:
    await full.group("builders", "WRITE", carol, everything=True)
    robot = house.client(Authorization=f"Bearer {await create_token(house.site.registry, owner='acme', name='robot')}")
    reader, input = await alice.scoped("api:read", "toy"), {"organizationId": full.id, "confirmation": "acme"}
    before = await everything()
    for client in (bob.client, carol.client, robot):
        assert (await refused(client, "deleteOrganization", input))[0] == "PermissionDeniedError"
    assert await stopped(house.anyone, "deleteOrganization", input) == "UNAUTHENTICATED"
    assert await stopped(reader, "deleteOrganization", input) == "PERMISSION_DENIED"
    assert await everything() == before


async def test_a_large_one_goes_in_several_transactions(house: House, alice: Person, full: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "AT_ONCE", 2)
    await done(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": "acme"})
    parts = [details["files"] for _, _, details in await events("organization.empty")]
    [(_, _, last)] = await events("organization.delete")
    assert parts[:4] == [2, 2, 2, 2]
    assert (sum(parts) + last["files"], last["packages"]) == (9, 5)
    assert (await everything())["namespace"] == 2
    assert (await everything())["file"] == 1


async def test_one_that_is_cut_short_is_a_smaller_organization_and_goes_on_from_there(
    house: House, alice: Person, full: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "AT_ONCE", 2)
    await deletions._delete_some(house.site, await confirmed(alice.actor), await _uuid(), "acme")
    listed = (await house.anyone.get("/toy/acme/listing")).text
    gone = [row["path"] for row in await fetch("SELECT path FROM tombstone ORDER BY id")]
    assert len(gone) == 3
    assert not any(f"{path} " in listed for path in gone)
    left = [
        row["path"] for row in await fetch("SELECT path FROM file JOIN package ON package.id = package_id WHERE NOT private AND path <> 'mine.toy'")
    ]
    assert listed == "".join(sorted(line_of(path, build_toy(path.partition("-")[0], path[6])) for path in left))
    for line in (await house.anyone.get("/toy/acme/shards")).text.splitlines():
        assert (await house.anyone.get(f"/toy/acme/shard/{line.split()[1]}")).status_code == 200
    await done(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": "acme"})
    assert (await everything())["namespace"] == 2


async def test_what_remains_of_it_goes_in_parts_too_and_indexes_are_right_meanwhile(
    house: House, alice: Person, full: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "AT_ONCE", 4)
    assert "ball2-1.toy" in (await house.anyone.get("/toy/acme/listing")).text  # rendered, as of now
    actor, organization, before, pruned = await confirmed(alice.actor), await _uuid(), await everything(), 0
    while (await deletions._delete_some(house.site, actor, organization, "acme")).packages is None:
        after = await everything()
        assert all(before.get(table, 0) - after.get(table, 0) <= 4 for table in ("shard", "change", "tombstone"))
        if after["change"] < before["change"]:
            pruned += 1
            assert ".toy" not in (await house.anyone.get("/toy/acme/listing")).text
        before = after
    assert pruned > 2
    assert all(before.get(table, 0) < 5 for table in ("shard", "change", "tombstone"))
    assert await fetch("SELECT id FROM namespace WHERE name = 'acme'") == []


async def _uuid() -> str:
    return str((await fetch("SELECT uuid FROM namespace WHERE name = 'acme'"))[0]["uuid"])


async def test_of_two_who_delete_it_at_once_one_does_and_the_other_finds_nothing(
    alice: Person, full: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "AT_ONCE", 3)
    input = {"organizationId": full.id, "confirmation": "acme"}
    results = await asyncio.gather(*(change(alice.client, "deleteOrganization", input) for _ in range(3)))
    assert sorted(result["__typename"] for result in results) == ["DeleteOrganizationPayload", "NotFoundError", "NotFoundError"]


async def test_a_deletion_beside_uploads_and_readers_leaves_nothing_and_fails_nobody(
    house: House, alice: Person, full: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "AT_ONCE", 3)
    reads = [house.anyone.get(f"/toy/acme/{path}") for path in ("listing", "shards", "names", "page/ball1", "label/dev/shards") for _ in range(6)]
    uploads = [alice.put(f"late{number}.toy", build_toy(f"late{number}"), to="acme") for number in range(8)]
    deletion = change(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": "acme"})
    results: list[Any] = await asyncio.gather(deletion, *uploads, *reads)
    assert results[0]["__typename"] == "DeleteOrganizationPayload"
    assert {one.status_code for one in results[1:9]} <= {201, 403, 404}
    assert {one.status_code for one in results[9:]} <= {200, 404}
    assert await fetch("SELECT id FROM namespace WHERE name = 'acme'") == []
    assert {row["path"] for row in await fetch("SELECT path FROM file")} == {"mine.toy"}


async def test_a_name_that_is_being_freed_is_not_caught_in_between(alice: Person, bob: Person, acme: Company) -> None:
    creations = [change(bob.client, "createOrganization", {"name": "acme"}) for _ in range(4)]
    deletion = change(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    first, *others = await asyncio.gather(deletion, *creations)
    assert first["__typename"] == "DeleteOrganizationPayload"
    assert {one["__typename"] for one in others} == {"ConflictError"}


async def test_a_file_of_the_users_that_the_organization_was_told_of_stays(house: House, alice: Person, acme: Company) -> None:
    """What points at an organization from elsewhere lets go of it."""
    await alice.has("mine.toy", build_toy("mine"))
    async with transaction():
        await execute("UPDATE file SET uploaded_by_id = (SELECT id FROM namespace WHERE name = 'acme')")
    await done(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    [row] = await fetch("SELECT path, uploaded_by_id FROM file")
    assert (row["path"], row["uploaded_by_id"]) == ("mine.toy", None)
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("mine.toy", build_toy("mine"))


async def test_others_are_not_touched(house: House, alice: Person, bob: Person, full: Company) -> None:
    other = await found_company(house, bob, "other")
    await bob.has("ball1-1.toy", build_toy("ball1", "1"), to="other")
    await done(alice.client, "deleteOrganization", {"organizationId": full.id, "confirmation": "acme"})
    assert (await house.anyone.get("/toy/other/listing")).text == line_of("ball1-1.toy", build_toy("ball1", "1"))
    assert await other.members(other.owners) == ["bob"]
