"""`moveFiles`: a copy after which the files are gone from where they were, or other labels for files that stay."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from changes import change, done, events, package_of, refused
from conda_builder import build_conda
from entrepot.db.sql import execute
from house import House, Person
from mover import Organization, collaborate, conda_names, member, pypi_files, sound
from pypi_builder import build_wheel

OLD, NEW = build_conda("ball", "1.0"), build_conda("ball", "2.0")
WHEEL = build_wheel("ball", "3.0")
PATH = f"noarch/{OLD[0]}"


@pytest.fixture
async def ball(alice: Person) -> Any:
    """Alice's package of two types."""
    await alice.has(*OLD)
    await alice.has(*NEW, labels=["main", "dev"])
    await alice.has(*WHEEL)
    return await package_of(alice.client, "ball")


async def test_files_go_to_another_namespace_and_are_found_at_their_old_addresses(depot: House, alice: Person, acme: Organization, ball: Any) -> None:
    made = await done(alice.client, "moveFiles", {"files": {"releaseId": ball["releases"]["1.0"]}, "namespace": "acme"}, "moved files { path }")
    assert made == {"moved": 1, "files": [{"path": PATH}]}
    wheel = ball["files"][WHEEL[0]]
    await done(alice.client, "moveFiles", {"files": {"ids": [wheel]}, "namespace": "acme", "labels": ["dev"]})
    assert await conda_names(depot.anyone, "alice") == [NEW[0]]
    assert await conda_names(depot.anyone, "acme") == [OLD[0]]
    assert await pypi_files(depot.anyone, "acme", "ball", label="dev") == [WHEEL[0]]
    assert await pypi_files(depot.anyone, "alice", "ball") == []
    answer = await depot.anyone.get(f"/conda/alice/{PATH}")
    assert (answer.status_code, answer.headers["location"]) == (301, f"../../acme/{PATH}")
    assert sorted((await package_of(alice.client, "ball"))["releases"]) == ["2.0"]
    details = {"files": 1, "version": "1.0", "labels": ["main"]}
    named = {"sha256": sha256(WHEEL[1]).hexdigest(), "labels": ["dev"]}
    assert await events("file.move") == [
        ("alice", "acme/ball", {"from": "alice/ball", **details}),
        ("alice", "alice/ball", {"to": "acme/ball", **details}),
        ("alice", f"acme/pypi/{WHEEL[0]}", {"from": f"alice/pypi/{WHEEL[0]}", **named}),
        ("alice", f"alice/pypi/{WHEEL[0]}", {"to": f"acme/pypi/{WHEEL[0]}", **named}),
    ]
    assert await sound(depot)


async def test_the_same_bytes_there_are_kept_and_the_others_go(depot: House, alice: Person, acme: Organization, ball: Any) -> None:
    await alice.has(*OLD, to="acme", labels=["old"])
    await done(alice.client, "moveFiles", {"files": {"packageId": ball["id"]}, "namespace": "acme"})
    assert await conda_names(depot.anyone, "alice") == []
    assert await conda_names(depot.anyone, "acme") == [OLD[0], NEW[0]]
    assert await conda_names(depot.anyone, "acme", label="old") == [OLD[0]]
    assert (await depot.anyone.get(f"/conda/alice/{PATH}")).status_code == 301
    assert (await package_of(alice.client, "ball"))["files"] == {}
    assert await sound(depot)


async def test_files_that_are_passed_over_stay_where_they_are(depot: House, alice: Person, acme: Organization, ball: Any) -> None:
    other = build_conda("ball", "1.0", files={"other": b"bytes"})
    await alice.has(*other, to="acme")
    input = {"files": {"packageId": ball["id"]}, "namespace": "acme"}
    assert (await refused(alice.client, "moveFiles", input))[0] == "ConflictError"
    assert await done(alice.client, "moveFiles", {**input, "mode": "UPDATE"}, "moved") == {"moved": 2}
    assert await conda_names(depot.anyone, "alice") == [OLD[0]]
    assert (await depot.anyone.get(f"/conda/acme/{PATH}")).content == other[1]
    assert (await depot.anyone.get(f"/conda/alice/{PATH}")).content == OLD[1]
    assert await done(alice.client, "moveFiles", {**input, "mode": "REPLACE"}, "moved") == {"moved": 1}
    assert (await depot.anyone.get(f"/conda/acme/{PATH}")).content == OLD[1]
    assert await sound(depot)


async def test_within_a_namespace_files_move_from_one_label_to_others(depot: House, alice: Person, ball: Any) -> None:
    made = await done(alice.client, "moveFiles", {"files": {"packageId": ball["id"]}, "fromLabel": "dev", "labels": ["rc"]}, "moved")
    assert made == {"moved": 1}
    assert await conda_names(depot.anyone, "alice", label="dev") == []
    assert await conda_names(depot.anyone, "alice", label="rc") == [NEW[0]]
    assert await conda_names(depot.anyone, "alice") == [OLD[0], NEW[0]]
    await done(alice.client, "moveFiles", {"files": {"packageId": ball["id"]}, "fromLabel": "rc", "labels": ["rc", "dev"]})
    assert await conda_names(depot.anyone, "alice", label="rc") == [NEW[0]]
    assert await conda_names(depot.anyone, "alice", label="dev") == [NEW[0]]
    for input, field in (({"labels": ["rc"]}, "fromLabel"), ({"fromLabel": "main"}, "labels")):
        result = await change(alice.client, "moveFiles", {"files": {"packageId": ball["id"]}, **input})
        assert (result["__typename"], result["field"]) == ("ValidationError", field)
    assert await sound(depot)


async def test_a_locked_label_loses_and_gets_nothing_below_its_administrator(alice: Person, bob: Person, acme: Organization) -> None:
    await alice.has(*OLD, to="acme", labels=["main", "dev"])
    await member(acme, bob, "write", group="writers")
    await execute("UPDATE label SET locked_at = 1 WHERE namespace_id = $1 AND name = 'main'", acme.id)
    package = await package_of(alice.client, "ball", "acme")
    files = {"packageId": package["id"]}
    for input in ({"fromLabel": "main", "labels": ["rc"]}, {"namespace": "bob"}, {"namespace": "bob", "fromLabel": "dev"}):
        assert (await refused(bob.client, "moveFiles", {"files": files, **input}))[0] == "PermissionDeniedError"
    await done(bob.client, "moveFiles", {"files": files, "fromLabel": "dev", "labels": ["rc"]})
    await done(alice.client, "moveFiles", {"files": files, "fromLabel": "main", "labels": ["rc"]})


async def test_it_takes_write_on_both_sides(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    input = {"files": {"packageId": ball["id"]}, "namespace": "bob"}
    assert (await refused(bob.client, "moveFiles", input))[0] == "PermissionDeniedError"
    assert (await refused(alice.client, "moveFiles", input))[0] == "PermissionDeniedError"
    await collaborate(bob, "ball")
    await done(bob.client, "moveFiles", input)
    assert await conda_names(depot.anyone, "bob") == [OLD[0], NEW[0]]
    assert await conda_names(depot.anyone, "alice") == []
    assert (await package_of(alice.client, "ball"))["files"] == {}


async def test_what_is_private_is_moved_into_no_public_package(depot: House, alice: Person, acme: Organization, ball: Any) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball["id"], "visibility": "PRIVATE"})
    await alice.has(*build_conda("ball", "9.0"), to="acme")
    input = {"files": {"packageId": ball["id"]}, "namespace": "acme"}
    assert (await refused(alice.client, "moveFiles", input))[0] == "ConflictError"
    assert await conda_names(depot.anyone, "acme") == ["ball-9.0-0.conda"]
    assert await conda_names(alice.client, "alice") == [OLD[0], NEW[0]]


async def test_a_path_that_was_used_again_after_a_move_leads_nowhere_once_it_is_removed(
    depot: House, alice: Person, acme: Organization, ball: Any
) -> None:
    files = {"addresses": [{"namespace": "alice", "type": "conda", "path": PATH}]}
    await done(alice.client, "moveFiles", {"files": files, "namespace": "acme"})
    assert (await depot.anyone.get(f"/conda/alice/{PATH}")).status_code == 301
    other = build_conda("ball", "1.0", files={"other": b"bytes"})
    await alice.has(*other)
    assert (await depot.anyone.get(f"/conda/alice/{PATH}")).content == other[1]
    await done(alice.client, "removeFiles", {"files": files})
    assert (await depot.anyone.get(f"/conda/alice/{PATH}")).status_code == 404
    assert (await depot.anyone.get(f"/conda/acme/{PATH}")).content == OLD[1]
