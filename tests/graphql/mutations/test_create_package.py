"""`createPackage`."""

from __future__ import annotations

import asyncio

from changes import change, done, events, package_of, refused, stopped
from house import House, Person
from toy import build_toy

BALL = {"namespace": "alice", "name": "Ball"}


async def test_a_package_is_there_before_its_first_file_which_then_goes_to_it(house: House, alice: Person) -> None:
    input = {**BALL, "namespace": "Alice", "summary": "Round.", "description": "# Ball", "visibility": "PRIVATE"}
    made = await done(alice.client, "createPackage", input, "package { id name summary description visibility viewerPermission namespace { name } }")
    package = made["package"]
    assert package.pop("id")
    assert package == {
        "name": "Ball",
        "summary": "Round.",
        "description": "# Ball",
        "visibility": "PRIVATE",
        "viewerPermission": "ADMIN",
        "namespace": {"name": "alice"},
    }
    await alice.has("ball.toy", build_toy("ball"))
    assert list((await package_of(alice.client, "ball"))["files"]) == ["ball.toy"]
    assert await package_of(house.anyone, "ball") is None
    assert (await house.anyone.get("/toy/alice/listing")).text == ""
    assert await events("package.create") == [("alice", "alice/Ball", {"visibility": "private"})]


async def test_an_upload_that_contradicts_its_visibility_is_refused(alice: Person) -> None:
    await done(alice.client, "createPackage", {**BALL, "visibility": "PRIVATE"})
    assert (await alice.put("ball.toy", build_toy("ball"), private="false")).status_code == 409


async def test_a_name_that_is_taken_in_whatever_case_is_a_conflict(alice: Person) -> None:
    await done(alice.client, "createPackage", BALL)
    for name in ("Ball", "ball", "BALL"):
        kind, message = await refused(alice.client, "createPackage", {**BALL, "name": name})
        assert kind == "ConflictError"
        assert f"alice has a package {name} already" in message


async def test_of_many_who_create_it_at_once_one_does(alice: Person) -> None:
    clients = [alice.client for _ in range(6)]
    results = await asyncio.gather(*(change(client, "createPackage", BALL) for client in clients))
    assert sorted(result["__typename"] for result in results) == ["ConflictError"] * 5 + ["CreatePackagePayload"]


async def test_who_may_not_write_there_creates_nothing(house: House, alice: Person, bob: Person) -> None:
    assert (await refused(bob.client, "createPackage", BALL))[0] == "PermissionDeniedError"
    assert (await refused(alice.client, "createPackage", {**BALL, "namespace": "nobody"}))[0] == "NotFoundError"
    assert await stopped(house.anyone, "createPackage", BALL) == "UNAUTHENTICATED"
    assert await stopped(await alice.scoped("api:read"), "createPackage", BALL) == "PERMISSION_DENIED"
    assert await house.rows() == {}


async def test_an_administrator_of_the_site_may(house: House, alice: Person) -> None:
    root = await house.person("root", admin=True)
    await done(root.client, "createPackage", BALL)
    assert [event[:2] for event in await events("package.create")] == [("root", "alice/Ball")]


async def test_what_is_no_name_is_refused(house: House, alice: Person) -> None:
    for name in ("", " ", ".", "..", "-x", "a/b", "a b", "a\n", "a\0", "é", "x" * 256, "a%2fb", "<b>", "a\u202eb"):
        result = await change(alice.client, "createPackage", {**BALL, "name": name})
        assert (result["__typename"], result["field"]) == ("ValidationError", "name"), name
    assert await house.rows() == {}


async def test_texts_are_bounded(house: House, alice: Person) -> None:
    for field, text in [("summary", "x" * 1001), ("summary", "a\0b"), ("description", "x" * 200_001), ("description", "\0")]:
        result = await change(alice.client, "createPackage", {**BALL, field: text})
        assert (result["__typename"], result["field"]) == ("ValidationError", field)
    assert await house.rows() == {}
