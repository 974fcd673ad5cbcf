"""`removeFiles` and `removeRelease`: in one step, with tombstones, and gone from every index at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from changes import change, done, events, look, package_of, refused, stopped
from entrepot.db.sql import fetch
from house import House, Person
from toy import build_toy, line_of

WANTED = "removed { id namespace type path } refused { file error { __typename message } }"


@pytest.fixture
async def ball(alice: Person) -> Any:
    """A package with two releases and three files, beside another package."""
    await alice.has("ball.toy", build_toy("ball"), labels=["main", "dev"])
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("ball-2b.toy", build_toy("ball", "2", b"other"))
    await alice.has("car.toy", build_toy("car"))
    return await package_of(alice.client, "ball")


def address(path: str, namespace: str = "alice", type: str = "toy") -> dict[str, str]:
    return {"namespace": namespace, "type": type, "path": path}


async def listed(house: House) -> list[str]:
    return sorted(line.split()[0] for line in (await house.anyone.get("/toy/alice/listing")).text.splitlines())


async def test_files_go_by_their_ids_and_by_their_places(house: House, alice: Person, ball: Any) -> None:
    made = await done(alice.client, "removeFiles", {"files": {"ids": [ball["files"]["ball-2.toy"]]}}, WANTED)
    assert made == {"removed": [{"id": ball["files"]["ball-2.toy"], **address("ball-2.toy")}], "refused": []}
    made = await done(alice.client, "removeFiles", {"files": {"addresses": [address("ball.toy", "Alice"), address("car.toy")]}}, WANTED)
    assert [one["path"] for one in made["removed"]] == ["ball.toy", "car.toy"]
    assert await listed(house) == ["ball-2b.toy"]
    assert (await house.anyone.get("/toy/alice/files/ball.toy")).status_code == 404
    assert (await house.anyone.get("/toy/alice/page/car")).status_code == 404
    assert [event[1] for event in await events("file.remove")] == ["alice/toy/ball-2.toy", "alice/toy/ball.toy", "alice/toy/car.toy"]
    assert (await look(alice.client, "query ($id: ID!) { node(id: $id) { id } }", id=ball["files"]["ball-2.toy"]))["node"] is None


async def test_a_release_that_lost_its_last_file_goes_and_its_package_and_names_stay(house: House, alice: Person, ball: Any) -> None:
    await done(alice.client, "removeFiles", {"files": {"ids": [ball["files"]["ball.toy"], ball["files"]["ball-2.toy"]]}})
    assert list((await package_of(alice.client, "ball"))["releases"]) == ["2"]
    await done(alice.client, "removeFiles", {"files": {"ids": [ball["files"]["ball-2b.toy"]]}})
    left = await package_of(alice.client, "ball")
    assert (left["id"], left["releases"], left["files"]) == (ball["id"], {}, {})
    assert [row["name"] for row in await fetch("SELECT name FROM binding ORDER BY name")] == ["ball", "car"]
    await alice.has("ball-3.toy", build_toy("ball", "3"))
    assert (await package_of(alice.client, "ball"))["id"] == ball["id"]


async def test_all_of_a_release_and_all_of_a_package_go_in_one_step(house: House, alice: Person, ball: Any) -> None:
    made = await done(alice.client, "removeFiles", {"files": {"releaseId": ball["releases"]["2"]}}, WANTED)
    assert sorted(one["path"] for one in made["removed"]) == ["ball-2.toy", "ball-2b.toy"]
    assert await listed(house) == ["ball.toy", "car.toy"]
    await done(alice.client, "removeFiles", {"files": {"packageId": ball["id"]}})
    assert await listed(house) == ["car.toy"]
    assert (await done(alice.client, "removeFiles", {"files": {"packageId": ball["id"]}}, WANTED)) == {"removed": [], "refused": []}


async def test_one_that_is_not_there_keeps_all_of_them_unless_it_may_not(house: House, alice: Person, bob: Person, ball: Any) -> None:
    await bob.has("kite.toy", build_toy("kite"))
    await bob.has("secret.toy", build_toy("secret"), private="true")
    kite = address("kite.toy", "bob")
    before = await house.rows()
    for other, kind in ((address("nothing.toy"), "NotFoundError"), (kite, "PermissionDeniedError"), (address("secret.toy", "bob"), "NotFoundError")):
        assert (await refused(alice.client, "removeFiles", {"files": {"addresses": [address("car.toy"), other]}}))[0] == kind
    assert await house.rows() == before
    named = [address("car.toy"), address("nothing.toy"), kite, address("secret.toy", "bob"), address("car.toy", type="book")]
    made = await done(alice.client, "removeFiles", {"files": {"addresses": named}, "allOrNothing": False}, WANTED)
    assert [one["path"] for one in made["removed"]] == ["car.toy"]
    assert [(one["file"], one["error"]["__typename"]) for one in made["refused"]] == [
        ("nothing.toy in alice", "NotFoundError"),
        ("kite.toy in bob", "PermissionDeniedError"),
        ("secret.toy in bob", "NotFoundError"),
        ("car.toy in alice", "NotFoundError"),
    ]
    hidden, absent = made["refused"][2]["error"]["message"], made["refused"][0]["error"]["message"]
    assert hidden.replace("secret.toy in bob", "it") == absent.replace("nothing.toy in alice", "it")


async def test_a_release_goes_by_its_id_and_its_package_stays(house: House, alice: Person, ball: Any) -> None:
    wanted = "removedId version package { id releases { totalCount } }"
    made = await done(alice.client, "removeRelease", {"releaseId": ball["releases"]["2"]}, wanted)
    assert made == {"removedId": ball["releases"]["2"], "version": "2", "package": {"id": ball["id"], "releases": {"totalCount": 1}}}
    assert await listed(house) == ["ball.toy", "car.toy"]
    assert (await refused(alice.client, "removeRelease", {"releaseId": ball["releases"]["2"]}))[0] == "NotFoundError"
    assert await events("release.remove") == [("alice", "alice/ball", {"version": "2", "files": 2})]
    assert (await house.rows())["tombstone"] == 2


async def test_who_may_not_removes_nothing(house: House, alice: Person, bob: Person, ball: Any) -> None:
    before = await house.rows()
    whole: list[tuple[str, dict[str, Any]]] = [
        ("removeRelease", {"releaseId": ball["releases"]["2"]}),
        ("removeFiles", {"files": {"releaseId": ball["releases"]["2"]}}),
        ("removeFiles", {"files": {"packageId": ball["id"]}}),
        ("removeFiles", {"files": {"ids": list(ball["files"].values())}}),
    ]
    narrow = await alice.scoped("api:read", "toy:upload")
    for name, input in whole:
        assert (await refused(bob.client, name, input))[0] == "PermissionDeniedError"
        assert await stopped(house.anyone, name, input) == "UNAUTHENTICATED"
        assert await stopped(narrow, name, input) == "PERMISSION_DENIED"
    assert await house.rows() == before


async def test_a_selection_of_nothing_of_too_much_or_of_other_things_is_refused(house: House, alice: Person, ball: Any) -> None:
    before = await house.rows()
    wrong: list[dict[str, Any]] = [
        {"ids": []},
        {"addresses": []},
        {"ids": [ball["id"]]},
        {"releaseId": ball["id"]},
        {"packageId": "x"},
        {"releaseId": ""},
    ]
    for files in wrong:
        result = await change(alice.client, "removeFiles", {"files": files})
        assert (result["__typename"], result["field"]) == ("ValidationError", "files"), files
    many = [address(f"{number}.toy") for number in range(1001)]
    assert "1,000 files at most" in (await refused(alice.client, "removeFiles", {"files": {"addresses": many}}))[1]
    null = {"files": {"addresses": [address("car.toy"), address("ball.toy\0")]}, "allOrNothing": False}
    assert (await change(alice.client, "removeFiles", null))["field"] == "files"
    weird = [address("'; DROP TABLE file; --"), address("ball.toy", "alice' OR '1'='1"), address("", "", "")]
    made = await done(alice.client, "removeFiles", {"files": {"addresses": weird}, "allOrNothing": False}, WANTED)
    assert (made["removed"], len(made["refused"])) == ([], 3)
    assert await house.rows() == before


async def test_a_thousand_files_are_removed_in_one_step(house: House, alice: Person) -> None:
    for number in range(12):
        await alice.has(f"ball-{number}.toy", build_toy("ball", str(number)))
    named = [address(f"ball-{number}.toy") for number in range(1000)]
    made = await done(alice.client, "removeFiles", {"files": {"addresses": named}, "allOrNothing": False}, WANTED)
    assert (len(made["removed"]), len(made["refused"])) == (12, 988)
    assert await listed(house) == []


async def test_removals_beside_uploads_and_labels_leave_what_is_there(house: House, alice: Person, ball: Any) -> None:
    removals = [change(alice.client, "removeFiles", {"files": {"addresses": [address("ball-2.toy"), address("car.toy")]}}) for _ in range(3)]
    labels = [change(alice.client, "addLabel", {"files": {"packageId": ball["id"]}, "label": f"l{number}"}) for number in range(3)]
    uploads = [alice.put(f"ball-{number}.toy", build_toy("ball", str(number))) for number in range(3, 6)]
    results = await asyncio.gather(*removals, *labels, *uploads)
    assert sorted(result["__typename"] for result in results[:3]) == ["NotFoundError", "NotFoundError", "RemoveFilesPayload"]
    assert {result["__typename"] for result in results[3:6]} == {"AddLabelPayload"}
    assert await listed(house) == ["ball-2b.toy", "ball-3.toy", "ball-4.toy", "ball-5.toy", "ball.toy"]
    assert line_of("ball.toy", build_toy("ball")) in (await house.anyone.get("/toy/alice/label/l2/listing")).text
    assert "ball-2.toy" not in (await house.anyone.get("/toy/alice/label/l2/listing")).text
