"""`addLabel` and `removeLabel`: on many files in one step, each change in its own channel alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from changes import change, done, events, package_of, refused, stopped
from entrepot.clock import now
from entrepot.db.sql import execute
from house import House, Person
from toy import build_toy

WANTED = "changed files { path labels { name } }"


@pytest.fixture
async def ball(alice: Person) -> Any:
    """A package with two releases and three files, beside another package."""
    await alice.has("ball.toy", build_toy("ball"), labels=["main", "dev"])
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("ball-2b.toy", build_toy("ball", "2", b"other"))
    await alice.has("car.toy", build_toy("car"))
    return await package_of(alice.client, "ball")


async def channel(house: House, label: str) -> list[str]:
    response = await house.anyone.get(f"/toy/alice/label/{label}/listing")
    return sorted(line.split()[0] for line in response.text.splitlines()) if response.status_code == 200 else []


async def test_a_label_is_put_on_a_release_and_on_files_of_several_packages(house: House, alice: Person, ball: Any) -> None:
    made = await done(alice.client, "addLabel", {"files": {"releaseId": ball["releases"]["2"]}, "label": "Next"}, WANTED)
    assert made["changed"] == 2
    assert [(file["path"], [label["name"] for label in file["labels"]]) for file in made["files"]] == [
        ("ball-2.toy", ["main", "next"]),
        ("ball-2b.toy", ["main", "next"]),
    ]
    assert await channel(house, "next") == ["ball-2.toy", "ball-2b.toy"]
    addresses = [{"namespace": "alice", "type": "toy", "path": path} for path in ("ball.toy", "car.toy", "ball-2.toy")]
    made = await done(alice.client, "addLabel", {"files": {"addresses": addresses}, "label": "next"}, WANTED)
    assert [file["path"] for file in made["files"]] == ["ball.toy", "car.toy"]
    assert await channel(house, "next") == ["ball-2.toy", "ball-2b.toy", "ball.toy", "car.toy"]
    assert await events("label.add") == [
        ("alice", "alice/ball", {"label": "next", "files": 2, "version": "2"}),
        ("alice", "alice/toy/ball.toy", {"label": "next"}),
        ("alice", "alice/toy/car.toy", {"label": "next"}),
    ]


async def test_a_label_is_taken_off_all_of_a_package(house: House, alice: Person, ball: Any) -> None:
    made = await done(alice.client, "removeLabel", {"files": {"packageId": ball["id"]}, "label": "main"}, WANTED)
    assert made["changed"] == 3
    assert await channel(house, "main") == ["car.toy"]
    assert await channel(house, "dev") == ["ball.toy"]
    assert (await package_of(alice.client, "ball"))["labels"] == {"ball.toy": ["dev"], "ball-2.toy": [], "ball-2b.toy": []}
    assert await done(alice.client, "removeLabel", {"files": {"packageId": ball["id"]}, "label": "main"}, WANTED) == {"changed": 0, "files": []}
    assert await done(alice.client, "removeLabel", {"files": {"packageId": ball["id"]}, "label": "never"}, WANTED) == {"changed": 0, "files": []}
    assert await events("label.remove") == [("alice", "alice/ball", {"label": "main", "files": 3})]


async def test_other_channels_keep_their_etags(house: House, alice: Person, ball: Any) -> None:
    before = (await house.anyone.get("/toy/alice/listing")).headers["etag"]
    await done(alice.client, "addLabel", {"files": {"packageId": ball["id"]}, "label": "next"})
    assert (await house.anyone.get("/toy/alice/listing", headers={"if-none-match": before})).status_code == 304


async def test_two_changes_in_one_request_see_each_other(alice: Person, ball: Any) -> None:
    query = """mutation ($files: FilesInput!) {
        first: addLabel(input: {files: $files, label: "a"}) { ... on AddLabelPayload { files { labels { name } } } }
        second: removeLabel(input: {files: $files, label: "dev"}) { ... on RemoveLabelPayload { files { labels { name } } } } }"""
    response = await alice.client.post("/graphql", json={"query": query, "variables": {"files": {"ids": [ball["files"]["ball.toy"]]}}})
    labels = {name: [label["name"] for label in made["files"][0]["labels"]] for name, made in response.json()["data"].items()}
    assert labels == {"first": ["a", "dev", "main"], "second": ["a", "main"]}


@pytest.mark.parametrize("name", ["addLabel", "removeLabel"])
async def test_who_may_not_changes_no_label(house: House, alice: Person, bob: Person, ball: Any, name: str) -> None:
    before = await house.rows()
    for files in ({"packageId": ball["id"]}, {"releaseId": ball["releases"]["2"]}, {"ids": list(ball["files"].values())}):
        input = {"files": files, "label": "main"}
        assert (await refused(bob.client, name, input))[0] == "PermissionDeniedError"
        assert await stopped(house.anyone, name, input) == "UNAUTHENTICATED"
        assert await stopped(await alice.scoped("api:read"), name, input) == "PERMISSION_DENIED"
    for label in ("", "a/b", "Ünder", "1st", "x" * 129, "a b", "a\0"):
        result = await change(alice.client, name, {"files": {"packageId": ball["id"]}, "label": label})
        assert result["__typename"] == "ValidationError"
        assert "is no label" in result["message"]
    nothing = {"files": {"ids": [ball["files"]["ball.toy"], ball["files"]["ball.toy"][:-4] + "AAA="]}, "label": "fresh"}
    assert (await change(alice.client, name, nothing))["__typename"] in ("NotFoundError", "ValidationError")
    assert await house.rows() == before


async def test_a_locked_label_is_for_administrators(house: House, alice: Person, ball: Any) -> None:
    await execute("UPDATE label SET locked_at = $1 WHERE name = 'dev'", now())
    await done(alice.client, "removeLabel", {"files": {"packageId": ball["id"]}, "label": "dev"})
    await done(alice.client, "addLabel", {"files": {"packageId": ball["id"]}, "label": "dev"})
    assert await channel(house, "dev") == ["ball-2.toy", "ball-2b.toy", "ball.toy"]


async def test_many_who_add_one_new_label_at_once_make_it_once(house: House, alice: Person, ball: Any) -> None:
    ids = [*ball["files"].values()]
    results = await asyncio.gather(*(done(alice.client, "addLabel", {"files": {"ids": [id]}, "label": "next"}, "changed") for id in ids * 3))
    assert sum(result["changed"] for result in results) == 3
    assert await channel(house, "next") == ["ball-2.toy", "ball-2b.toy", "ball.toy"]
