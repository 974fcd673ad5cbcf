"""Moves beside each other and beside whatever else changes packages: nobody deadlocks, nothing is lost or shown twice, indexes are right."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import pytest
from changes import change, package_of
from conda_builder import build_conda
from entrepot.db.sql import execute, fetch
from entrepot.errors import PermissionDenied
from entrepot.services.credentials import confirmed
from entrepot.services.transfers import transfer_package
from ground import on_fleet
from house import House, Person
from mover import Organization, collaborate, conda_names, organization, sound

BALL = build_conda("ball", "1.0")
NAMESPACES = ("alice", "acme", "umbrella")


@pytest.fixture
async def umbrella(alice: Person) -> Organization:
    return await organization("umbrella", alice)


async def right(depot: House, alice: Person) -> bool:
    """Whether `entrepot check` is content and each channel shows what the database says."""
    for name in NAMESPACES:
        rows = await fetch(
            """SELECT file.basename FROM file JOIN namespace ON namespace.id = file.namespace_id
            JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
            WHERE namespace.name = $1 AND label.name = 'main' AND file.type = 'conda' ORDER BY file.basename""",
            name,
        )
        assert await conda_names(alice.client, name) == [row["basename"] for row in rows], name
    return await sound(depot)


async def together(*work: Awaitable[Mapping[str, Any]]) -> Counter[str]:
    """Do things at once; how often each kind of answer was given."""
    return Counter(answer["__typename"] for answer in await asyncio.gather(*work))


async def transferred(person: Person, package: str, to: str) -> Mapping[str, Any]:
    return await change(person.client, "transferPackage", {"packageId": package, "namespace": to})


async def put(person: Person, file: Sequence[Any], to: str) -> Mapping[str, Any]:
    """An upload, its answer as if it were a mutation's."""
    answer = await person.put(*file, to=to)
    return {"__typename": str(answer.status_code)}


async def test_of_two_transfers_to_one_place_one_is_done(depot: House, alice: Person, acme: Organization, umbrella: Organization) -> None:
    await alice.has(*BALL)
    ball = (await package_of(alice.client, "ball"))["id"]
    answers = await together(*(transferred(alice, ball, "acme") for _ in range(4)))
    assert answers == {"TransferPackagePayload": 1, "ValidationError": 3}
    assert await right(depot, alice)
    assert await conda_names(depot.anyone, "acme") == [BALL[0]]


async def test_transfers_of_one_package_to_several_places_come_one_after_another(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    await alice.has(*BALL)
    ball = (await package_of(alice.client, "ball"))["id"]
    for _ in range(3):
        await together(*(transferred(alice, ball, name) for name in (*NAMESPACES, *NAMESPACES)))
        assert await right(depot, alice)
    assert len([name for name in NAMESPACES if await conda_names(depot.anyone, name)]) == 1
    answer = await depot.anyone.get(f"/conda/alice/noarch/{BALL[0]}", follow_redirects=True)
    assert answer.content == BALL[1]


async def test_transfers_that_cross_do_not_wait_for_each_other_in_a_ring(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    ids: dict[str, str] = {}
    for number, home in enumerate(NAMESPACES * 2):
        await alice.has(*build_conda(f"toy{number}", "1.0"), to=home)
        ids[f"toy{number}"] = (await package_of(alice.client, f"toy{number}", home))["id"]
    for shift in range(3):
        places = [NAMESPACES[(number + shift) % 3] for number in range(len(ids))]
        answers = await together(*(transferred(alice, id, to) for id, to in zip(ids.values(), places, strict=True)))
        assert set(answers) <= {"TransferPackagePayload", "ValidationError"}
        assert await right(depot, alice)
        homes = await fetch("SELECT package.name, namespace.name AS home FROM package JOIN namespace ON namespace.id = package.namespace_id")
        assert {row["name"]: row["home"] for row in homes} == dict(zip(ids, places, strict=True))


async def test_packages_of_one_name_that_want_to_change_places_both_stay(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    await alice.has(*BALL)
    await alice.has(*build_conda("ball", "2.0"), to="acme")
    mine, theirs = [(await package_of(alice.client, "ball", name))["id"] for name in ("alice", "acme")]
    answers = await together(transferred(alice, mine, "acme"), transferred(alice, theirs, "alice"))
    assert answers == {"ConflictError": 2}
    assert await right(depot, alice)


async def test_two_packages_of_one_name_that_want_to_the_same_place(depot: House, alice: Person, acme: Organization, umbrella: Organization) -> None:
    await alice.has(*BALL)
    await alice.has(*build_conda("ball", "2.0"), to="acme")
    ids = [(await package_of(alice.client, "ball", name))["id"] for name in ("alice", "acme")]
    assert await together(*(transferred(alice, id, "umbrella") for id in ids)) == {"TransferPackagePayload": 1, "ConflictError": 1}
    assert await right(depot, alice)


async def test_a_transfer_beside_uploads_to_both_sides_loses_and_doubles_nothing(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    await alice.has(*BALL)
    ball = (await package_of(alice.client, "ball"))["id"]
    files = [build_conda("ball", f"{number}.0", files={"x": b"y"}) for number in range(2, 14)]
    answers = await together(
        *(put(alice, file, "alice") for file in files[:4]),
        transferred(alice, ball, "acme"),
        *(put(alice, file, "alice") for file in files[4:8]),
        *(put(alice, file, "acme") for file in files[8:]),
    )
    assert answers["201"] + answers["409"] == len(files)  # what comes late is told where the package is now
    assert answers["409"] <= 8 * answers["TransferPackagePayload"]
    assert answers["TransferPackagePayload"] + answers["ConflictError"] == 1
    assert await right(depot, alice)
    shown = [name for namespace in ("alice", "acme") for name in await conda_names(depot.anyone, namespace)]
    assert BALL[0] in shown
    assert len(set(shown)) == len(shown) == 1 + answers["201"]


async def test_a_collaborators_uploads_beside_a_transfer_are_taken_where_the_package_is_or_not_at_all(
    depot: House, alice: Person, bob: Person, acme: Organization, umbrella: Organization
) -> None:
    await alice.has(*BALL)
    await collaborate(bob, "ball")
    ball = (await package_of(alice.client, "ball"))["id"]
    files = [build_conda("ball", f"{number}.0", files={"x": b"y"}) for number in range(2, 12)]
    answers = await together(
        *(put(bob, file, "alice") for file in files[:5]), transferred(alice, ball, "acme"), *(put(bob, file, "alice") for file in files[5:])
    )
    assert answers["TransferPackagePayload"] == 1
    assert answers["201"] + answers["403"] + answers["404"] == len(files)
    assert await conda_names(depot.anyone, "alice") == []
    assert len(await conda_names(depot.anyone, "acme")) == 1 + answers["201"]
    assert await right(depot, alice)


async def test_a_transfer_beside_removals_and_the_deletion_of_the_package(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    for number in range(4):
        for version in range(3):
            await alice.has(*build_conda(f"toy{number}", f"{version}.0"))
    for number in range(4):
        package = await package_of(alice.client, f"toy{number}")
        work: list[Awaitable[Mapping[str, Any]]] = [
            change(alice.client, "removeFiles", {"files": {"ids": [id]}}) for id in list(package["files"].values())[:2]
        ]
        work.append(transferred(alice, package["id"], "acme"))
        if number % 2:
            work.append(change(alice.client, "deletePackage", {"packageId": package["id"], "confirmation": f"alice/toy{number}"}))
        answers = await together(*work)
        if not number % 2:
            assert answers == {"RemoveFilesPayload": 2, "TransferPackagePayload": 1}
            assert len((await package_of(alice.client, f"toy{number}", "acme"))["files"]) == 1
        assert await right(depot, alice)


async def test_removal_beside_upload_of_the_same_path_leaves_one_or_the_other(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    await alice.has(*BALL)
    files = {"files": {"addresses": [{"namespace": "alice", "type": "conda", "path": f"noarch/{BALL[0]}"}]}}
    for _ in range(5):
        answers = await together(
            *(put(alice, BALL, "alice") for _ in range(3)), change(alice.client, "removeFiles", files), put(alice, BALL, "alice")
        )
        assert set(answers) <= {"201", "200", "RemoveFilesPayload", "NotFoundError"}
        assert await right(depot, alice)
        there = (await depot.anyone.get(f"/conda/alice/noarch/{BALL[0]}")).status_code
        assert await conda_names(depot.anyone, "alice") == ([BALL[0]] if there == 200 else [])


async def test_copies_that_cross_and_copies_beside_moves_and_removals(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    ids: dict[str, str] = {}
    for home in NAMESPACES:
        await alice.has(*build_conda(f"of-{home}", "1.0"), to=home)
        ids[home] = (await package_of(alice.client, f"of-{home}", home))["id"]
    work: list[Awaitable[Mapping[str, Any]]] = []
    for home, id in ids.items():
        work += [change(alice.client, "copyFiles", {"files": {"packageId": id}, "namespace": to}) for to in NAMESPACES if to != home]
        work += [change(alice.client, "copyFiles", {"files": {"packageId": id}, "labels": [label]}) for label in ("dev", "rc")]
    work += [change(alice.client, "moveFiles", {"files": {"packageId": ids["alice"]}, "namespace": "umbrella"})]
    work += [change(alice.client, "removeFiles", {"files": {"packageId": ids["acme"]}})]
    answers = await together(*work)
    assert set(answers) <= {"CopyFilesPayload", "MoveFilesPayload", "RemoveFilesPayload", "NotFoundError"}
    assert await right(depot, alice)


async def test_copies_of_one_package_to_one_place_at_once_make_it_once(
    depot: House, alice: Person, acme: Organization, umbrella: Organization
) -> None:
    await alice.has(*BALL)
    ball = (await package_of(alice.client, "ball"))["id"]
    answers = await together(
        *(change(alice.client, "copyFiles", {"files": {"packageId": ball}, "namespace": "acme"}) for _ in range(4)), put(alice, BALL, "acme")
    )
    assert answers["CopyFilesPayload"] == 4
    assert await right(depot, alice)
    assert await conda_names(depot.anyone, "acme") == [BALL[0]]


@on_fleet
async def test_a_copy_beside_the_package_becoming_private_is_never_public_of_what_was_private_before_it(
    depot: House, alice: Person, bob: Person, acme: Organization
) -> None:
    """Whoever copies holds the package that it reads from: it is done before the change, or sees it."""
    for number in range(8):
        await alice.has(*build_conda(f"toy{number}", "1.0"))
        id = (await package_of(alice.client, f"toy{number}"))["id"]
        results = await asyncio.gather(
            change(alice.client, "updatePackage", {"packageId": id, "visibility": "PRIVATE"}),
            change(bob.client, "copyFiles", {"files": {"packageId": id}, "namespace": "bob"}),
        )
        assert results[0]["__typename"] == "UpdatePackagePayload"
        copy = await package_of(bob.client, f"toy{number}", "bob")
        assert (results[1]["__typename"], copy and copy["visibility"]) in (("CopyFilesPayload", "PUBLIC"), ("NotFoundError", None))
        rows = await fetch(
            "SELECT action FROM audit_event WHERE subject IN ($1, $2) AND action IN ('package.update', 'file.copy') ORDER BY id",
            f"alice/toy{number}",
            f"bob/toy{number}",
        )
        assert [row["action"] for row in rows] in (["file.copy", "package.update"], ["package.update"])


async def test_who_has_lost_the_right_meanwhile_moves_nothing(depot: House, alice: Person) -> None:
    root = await depot.person("root", admin=True)
    await alice.has(*BALL)
    [row] = await fetch("SELECT uuid FROM package WHERE name = 'ball'")
    actor = await confirmed(root.actor)
    await execute('UPDATE "user" SET is_admin = FALSE WHERE namespace_id = $1', root.actor.namespace_id)
    with pytest.raises(PermissionDenied):
        await transfer_package(depot.site, actor=actor, package=row["uuid"], to="root")
    assert await conda_names(depot.anyone, "alice") == [BALL[0]]
