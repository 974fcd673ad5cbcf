"""`deletePackage`."""

from __future__ import annotations

import asyncio

import pytest
from changes import change, done, events, package_of, refused, stopped
from entrepot.db.sql import execute, fetch
from house import House, Person
from toy import build_toy, line_of

BALL = build_toy("ball")


@pytest.fixture
async def ball(alice: Person) -> str:
    """The id of a package with two releases and three files, beside another package."""
    await alice.has("ball.toy", BALL, labels=["main", "dev"])
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("ball-2b.toy", build_toy("ball", "2", b"other"))
    await alice.has("car.toy", build_toy("car"))
    return str((await package_of(alice.client, "ball"))["id"])


async def test_it_goes_with_everything_and_leaves_tombstones(house: House, alice: Person, ball: str) -> None:
    shard = (await house.anyone.get("/toy/alice/shards")).text.split()[1]
    made = await done(
        alice.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"}, "deletedId name namespace { name packages { totalCount } }"
    )
    assert made == {"deletedId": ball, "name": "ball", "namespace": {"name": "alice", "packages": {"totalCount": 1}}}
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("car.toy", build_toy("car"))
    for path in ("page/ball", f"shard/{shard}", "files/ball.toy", "label/dev/listing"):
        assert (await house.anyone.get(f"/toy/alice/{path}")).status_code == 404
    rows = await house.rows()
    assert (rows["package"], rows["binding"], rows["release"], rows["file"], rows["tombstone"]) == (1, 1, 1, 1, 3)
    assert (rows["entry"], rows["file_label"], rows["extra"]) == (1, 1, 1)
    buried = await fetch("SELECT path, removed_by FROM tombstone ORDER BY path")
    assert [tuple(dict(row).values()) for row in buried] == [("ball-2.toy", "alice"), ("ball-2b.toy", "alice"), ("ball.toy", "alice")]
    assert await events("package.delete") == [("alice", "alice/ball", {"files": 3, "types": ["toy"]})]


async def test_the_name_may_come_back_in_its_namespace_and_everything_shows_again(house: House, alice: Person, ball: str) -> None:
    before = {path: (await house.anyone.get(f"/toy/alice/{path}")).text for path in ("listing", "shards", "names", "page/ball")}
    await done(alice.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"})
    assert "ball" not in (await house.anyone.get("/toy/alice/shards")).text
    await alice.has("ball.toy", BALL, labels=["main", "dev"])
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("ball-2b.toy", build_toy("ball", "2", b"other"))
    assert {path: (await house.anyone.get(f"/toy/alice/{path}")).text for path in before} == before
    for line in before["shards"].splitlines():
        assert (await house.anyone.get(f"/toy/alice/shard/{line.split()[1]}")).status_code == 200
    assert (await package_of(alice.client, "ball"))["id"] != ball


async def test_a_namespace_that_never_takes_other_bytes_does_not_take_them_after_a_deletion_either(alice: Person, ball: str) -> None:
    await execute("UPDATE namespace SET replace = 'never' WHERE name = 'alice'")
    await done(alice.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"})
    assert (await alice.put("ball.toy", build_toy("ball", "1", b"forged"))).status_code == 409
    assert (await alice.put("ball.toy", BALL)).status_code == 201


async def test_without_its_full_name_nothing_is_deleted(house: House, alice: Person, ball: str) -> None:
    before = await house.rows()
    for confirmation in ("", "ball", "alice/Ball", "alice/ball ", "alice/car"):
        result = await change(alice.client, "deletePackage", {"packageId": ball, "confirmation": confirmation})
        assert (result["__typename"], result["field"]) == ("ValidationError", "confirmation")
        assert result["message"].endswith("alice/ball")
    assert await house.rows() == before


async def test_who_may_not_deletes_nothing(house: House, alice: Person, bob: Person, ball: str) -> None:
    before, input = await house.rows(), {"packageId": ball, "confirmation": "alice/ball"}
    assert (await refused(bob.client, "deletePackage", input))[0] == "PermissionDeniedError"
    assert await stopped(house.anyone, "deletePackage", input) == "UNAUTHENTICATED"
    assert await stopped(await alice.scoped("api:read", "toy"), "deletePackage", input) == "PERMISSION_DENIED"
    assert await house.rows() == before


async def test_of_two_who_delete_it_at_once_one_does_and_the_other_finds_nothing(alice: Person, ball: str) -> None:
    input = {"packageId": ball, "confirmation": "alice/ball"}
    results = await asyncio.gather(*(change(alice.client, "deletePackage", input) for _ in range(3)))
    assert sorted(result["__typename"] for result in results) == ["DeletePackagePayload", "NotFoundError", "NotFoundError"]


async def test_a_deletion_beside_uploads_to_it_leaves_no_file_without_a_package(house: House, alice: Person, ball: str) -> None:
    uploads = [alice.put(f"ball-{number}.toy", build_toy("ball", str(number))) for number in range(10, 16)]
    answers = await asyncio.gather(change(alice.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"}), *uploads)
    assert {answer.status_code for answer in answers[1:]} == {201}
    left = await package_of(alice.client, "ball")
    listed = [line.split()[0] for line in (await house.anyone.get("/toy/alice/listing")).text.splitlines()]
    assert sorted(listed) == sorted([*(left["files"] if left else ()), "car.toy"])


async def test_a_shard_that_a_late_worker_stored_for_the_deleted_package_does_not_hide_the_new_ones(house: House, alice: Person, ball: str) -> None:
    """It belongs to a package that is no more: who comes back under the name with the same bytes needs a shard of its own."""
    [line] = [line for line in (await house.anyone.get("/toy/alice/shards")).text.splitlines() if line.startswith("ball ")]
    [late] = await fetch("SELECT * FROM shard WHERE sha256 = $1", line.split()[1])
    await done(alice.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"})
    columns = [column for column in dict(late) if column != "id"]
    marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await execute(f"INSERT INTO shard ({', '.join(columns)}) VALUES ({marks})", *(late[column] for column in columns))
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("ball-2b.toy", build_toy("ball", "2", b"other"))
    await alice.has("ball.toy", BALL, labels=["main", "dev"])
    assert line in (await house.anyone.get("/toy/alice/shards")).text
    assert (await house.anyone.get(f"/toy/alice/shard/{line.split()[1]}")).status_code == 200
