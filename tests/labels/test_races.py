"""Changes of whole labels beside each other and beside uploads: whatever comes first, the channels say what the database says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from changes import change, done
from company import Company
from conda_builder import build_conda
from entrepot.db.sql import fetch
from house import House, Person
from mover import conda_names, pypi_files, sound
from pypi_builder import build_wheel

LABELS = ("main", "dev", "stable")


async def carriers(label: str, type: str) -> list[str]:
    """The files that have a label, by the database."""
    rows = await fetch(
        """SELECT file.basename FROM file JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE label.name = $1 AND file.type = $2 ORDER BY file.basename""",
        label,
        type,
    )
    return [row["basename"] for row in rows]


async def agree(house: House, labels: Iterable[str] = LABELS, projects: Iterable[str] = ("ball",)) -> None:
    """The channels of both types show just the files that have their label."""
    for label in labels:
        assert await conda_names(house.anyone, "alice", label=label) == await carriers(label, "conda"), label
        wheels = [name for project in projects for name in await pypi_files(house.anyone, "alice", project, label=label)]
        assert sorted(wheels) == await carriers(label, "pypi"), label
    assert await sound(house)


@pytest.fixture
async def stock(alice: Person) -> None:
    for number in range(4):
        await alice.has(*build_conda("ball", f"{number}.0"), labels=["dev" if number % 2 else "stable"])
        await alice.has(*build_wheel("ball", f"{number}.0"), labels=["main", "dev" if number % 2 else "stable"])


@pytest.mark.usefixtures("stock")
async def test_copies_in_both_directions_at_once_end_with_both_on_everything(house: House, alice: Person) -> None:
    await agree(house)
    pairs = [("dev", "stable"), ("stable", "dev"), ("main", "dev"), ("dev", "main"), ("stable", "main"), ("main", "stable")] * 2
    await asyncio.gather(*(done(alice.client, "copyLabel", {"namespace": "alice", "from": one, "to": other}) for one, other in pairs))
    await agree(house)
    for one, other in pairs[:6]:
        await done(alice.client, "copyLabel", {"namespace": "alice", "from": one, "to": other})
    await agree(house)
    assert len(await conda_names(house.anyone, "alice", label="dev")) == 4


@pytest.mark.usefixtures("stock")
async def test_two_copies_to_one_new_label_make_it_once(house: House, alice: Person) -> None:
    wanted = "changed label { id }"
    made = await asyncio.gather(
        *(done(alice.client, "copyLabel", {"namespace": "alice", "from": one, "to": "new"}, wanted) for one in ("dev", "stable", "main", "dev"))
    )
    assert len({one["label"]["id"] for one in made}) == 1
    assert sum(one["changed"] for one in made) == 8
    await agree(house, ["new"])


@pytest.mark.usefixtures("stock")
async def test_moves_beside_each_other_lose_no_label(house: House, alice: Person) -> None:
    """A file is under one of the two whichever move is last."""
    moves = [("dev", "stable"), ("stable", "dev")] * 4
    results = await asyncio.gather(*(change(alice.client, "moveLabel", {"namespace": "alice", "from": a, "to": b}) for a, b in moves))
    assert {one["__typename"] for one in results} == {"MoveLabelPayload"}
    await agree(house)
    assert sorted([len(await carriers("dev", "conda")), len(await carriers("stable", "conda"))]) == [0, 4]


async def test_a_label_is_deleted_beside_uploads_with_it(house: House, alice: Person) -> None:
    """Each upload is taken, before the deletion or after it; those after it make the label anew."""
    for number in range(3):
        await alice.has(*build_conda("first", f"{number}.0"), labels=["dev"])
    uploads = [alice.put(*build_conda(f"own{number % 3}", f"{number}.0"), labels=["dev", "main"]) for number in range(8)]
    wheels = [alice.put(*build_wheel("ball", f"{number}.0"), labels=["dev"]) for number in range(4)]
    deletions = [change(alice.client, "deleteLabel", {"namespace": "alice", "label": "dev"}) for _ in range(3)]
    mixed: list[Any] = [one for some in zip(uploads[:3], deletions, uploads[3:6], strict=True) for one in some] + uploads[6:] + wheels
    results: list[Any] = await asyncio.gather(*mixed)
    assert {one.status_code for one in results if not isinstance(one, dict)} == {201}
    assert {one["__typename"] for one in results if isinstance(one, dict)} <= {"DeleteLabelPayload", "NotFoundError"}
    await agree(house, ("main", "dev"))
    assert not [name for name in await carriers("dev", "conda") if name.startswith("first")]


@pytest.mark.usefixtures("stock")
async def test_labels_are_changed_beside_removals_additions_and_each_other(house: House, alice: Person) -> None:
    rows = await fetch("SELECT path, type FROM file ORDER BY id")
    files = [{"addresses": [{"namespace": "alice", "type": row["type"], "path": row["path"]}]} for row in rows]
    work: list[Any] = [
        *(change(alice.client, "addLabel", {"files": one, "label": "stable"}) for one in files),
        change(alice.client, "copyLabel", {"namespace": "alice", "from": "dev", "to": "main"}),
        *(change(alice.client, "removeLabel", {"files": one, "label": "dev"}) for one in files[:4]),
        change(alice.client, "moveLabel", {"namespace": "alice", "from": "main", "to": "dev"}),
        *(change(alice.client, "removeFiles", {"files": one}) for one in files[:3]),
        change(alice.client, "deleteLabel", {"namespace": "alice", "label": "stable"}),
        change(alice.client, "lockLabel", {"namespace": "alice", "label": "dev"}),
    ]
    results = await asyncio.gather(*work)
    assert not [one for one in results if one["__typename"] not in ("NotFoundError",) and not one["__typename"].endswith("Payload")]
    await agree(house)


async def test_after_a_lock_is_answered_nothing_of_others_comes_in(house: House, alice: Person, bob: Person, acme: Company) -> None:
    await acme.group("workers", "WRITE", bob, everything=True)
    await alice.has(*build_conda("first", "1.0"), labels=["stable"], to="acme")
    uploads = [asyncio.create_task(bob.put(*build_conda("ball", f"{n}.0"), labels=["stable"], to="acme")) for n in range(8)]
    await uploads[0]
    await done(alice.client, "lockLabel", {"namespace": "acme", "label": "stable"})
    then = await carriers("stable", "conda")
    answers = [(await one).status_code for one in uploads]
    assert set(answers) <= {201, 403}
    assert await carriers("stable", "conda") == then == sorted(["first-1.0-0.conda", *(f"ball-{n}.0-0.conda" for n in range(8) if answers[n] == 201)])
    assert await sound(house)
