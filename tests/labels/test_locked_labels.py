"""A locked label refuses every change of which files have it by anyone below the namespace's administrators, removals of such files too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from changes import change, done, events, look, package_of, refused
from company import Company
from conda_builder import build_conda
from house import House, Person, sentence
from mover import conda_names, pypi_files, sound
from pypi_builder import build_wheel

OLD, NEW, NEXT, WHEEL = build_conda("ball", "1.0"), build_conda("ball", "2.0"), build_conda("ball", "3.0"), build_wheel("ball", "1.0")
LOCKED = "The label stable is locked."


@dataclass
class Stage:
    """An organization with one package, and who works there."""

    house: House
    acme: Company
    people: dict[str, httpx.AsyncClient]
    package: Any

    async def channel(self) -> tuple[list[str], list[str]]:
        """What installers find under the locked label."""
        anyone = self.house.anyone
        return await conda_names(anyone, "acme", label="stable"), await pypi_files(anyone, "acme", "ball", label="stable")


@pytest.fixture
async def stage(house: House, acme: Company, alice: Person, bob: Person) -> Stage:
    """A conda file and a wheel under the locked label `stable`, another conda file under `main`."""
    await alice.has(*OLD, labels=["stable", "main"], to="acme")
    await alice.has(*WHEEL, labels=["stable"], to="acme")
    await alice.has(*NEW, to="acme")
    package = await package_of(alice.client, "ball", "acme")
    carol, dora, erik = [await house.person(name) for name in ("carol", "dora", "erik")]
    await done(alice.client, "addCollaborator", {"packageId": package["id"], "user": "bob"})
    await acme.group("ballers", "ADMIN", carol, packages={"ball": package["id"]})
    await acme.group("workers", "WRITE", dora, everything=True)
    await acme.group("chiefs", "ADMIN", erik, everything=True)
    token = (await done(alice.client, "createToken", {"name": "ci", "scopes": ["all"], "owner": "acme"}, "secret"))["secret"]
    bound = {"name": "ci", "scopes": ["all"], "packageId": package["id"]}
    own = (await done(alice.client, "createToken", bound, "secret"))["secret"]
    people = {
        "collaborator": bob.client,
        "administrator of the package": carol.client,
        "writer of everything": dora.client,
        "token of the organization": house.client(Authorization=f"Bearer {token}"),
        "the owner's token for the package alone": house.client(Authorization=f"Bearer {own}"),
    }
    await done(alice.client, "lockLabel", {"namespace": "acme", "label": "stable"}, "label { locked lockedAt }")
    return Stage(house, acme, people | {"owner": alice.client, "administrator of everything": erik.client}, package)


BELOW = [
    "collaborator",
    "administrator of the package",
    "writer of everything",
    "token of the organization",
    "the owner's token for the package alone",
]


def at(path: str, type: str = "conda") -> dict[str, Any]:
    return {"addresses": [{"namespace": "acme", "type": type, "path": path}]}


async def put(client: httpx.AsyncClient, file: tuple[str, bytes], *labels: str) -> httpx.Response:
    return await client.put(f"/upload/acme/{file[0]}", params=[("label", label) for label in labels], content=file[1])


@pytest.mark.parametrize("who", BELOW)
async def test_who_is_below_the_administrators_changes_nothing_of_it(stage: Stage, who: str) -> None:
    client, ball = stage.people[who], stage.package
    shown, before = await stage.channel(), await stage.house.rows()
    assert shown == ([OLD[0]], [WHEEL[0]])
    for labels in (["stable"], ["main", "stable"], ["STABLE"]):
        assert sentence(await put(client, NEXT, *labels), 403).startswith(LOCKED)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("addLabel", {"files": at(f"noarch/{NEW[0]}"), "label": "stable"}),
        ("removeLabel", {"files": at(f"noarch/{OLD[0]}"), "label": "stable"}),
        ("removeLabel", {"files": {"packageId": ball["id"]}, "label": "stable"}),
        ("removeFiles", {"files": at(f"noarch/{OLD[0]}")}),
        ("removeFiles", {"files": {"addresses": [*at(f"noarch/{NEW[0]}")["addresses"], *at(WHEEL[0], "pypi")["addresses"]]}}),
        ("removeRelease", {"releaseId": ball["releases"]["1.0"]}),
    ]
    for name, input in changes:
        kind, message = await refused(client, name, input)
        assert (kind, message.startswith(LOCKED)) == ("PermissionDeniedError", True), (name, message)
    assert await stage.house.rows() == before
    assert await stage.channel() == shown


@pytest.mark.parametrize("who", ["administrator of the package", "the owner's token for the package alone"])
async def test_who_administers_the_package_alone_does_not_delete_it_with_its_files(stage: Stage, who: str) -> None:
    input = {"packageId": stage.package["id"], "confirmation": "acme/ball"}
    kind, message = await refused(stage.people[who], "deletePackage", input)
    assert (kind, message.startswith(LOCKED)) == ("PermissionDeniedError", True)
    assert await stage.channel() == ([OLD[0]], [WHEEL[0]])
    await done(stage.people["owner"], "deletePackage", input)
    assert await stage.channel() == ([], [])


@pytest.mark.parametrize("who", BELOW)
async def test_what_is_not_about_it_goes_on(stage: Stage, who: str) -> None:
    client = stage.people[who]
    assert (await put(client, NEXT, "dev")).status_code == 201
    await done(client, "addLabel", {"files": at(f"noarch/{OLD[0]}"), "label": "dev"})
    await done(client, "removeLabel", {"files": at(f"noarch/{OLD[0]}"), "label": "main"})
    await done(client, "addLabel", {"files": at(f"noarch/{OLD[0]}"), "label": "stable"})  # it has it: nothing changes
    await done(client, "removeFiles", {"files": at(f"noarch/{NEW[0]}")})
    assert await stage.channel() == ([OLD[0]], [WHEEL[0]])


@pytest.mark.parametrize("who", BELOW)
async def test_of_several_files_those_go_that_may(stage: Stage, who: str) -> None:
    input = {"files": {"ids": list(stage.package["files"].values())}, "allOrNothing": False}
    made = await done(stage.people[who], "removeFiles", input, "removed { path } refused { error { __typename message } }")
    assert [one["path"] for one in made["removed"]] == [f"noarch/{NEW[0]}"]
    errors = [one["error"] for one in made["refused"]]
    assert [(one["__typename"], one["message"].startswith(LOCKED)) for one in errors] == [("PermissionDeniedError", True)] * 2
    assert await stage.channel() == ([OLD[0]], [WHEEL[0]])


@pytest.mark.parametrize("who", ["owner", "administrator of everything"])
async def test_administrators_of_the_namespace_change_it_as_before(stage: Stage, who: str) -> None:
    client = stage.people[who]
    assert (await put(client, NEXT, "stable")).status_code == 201
    assert await stage.channel() == ([OLD[0], NEXT[0]], [WHEEL[0]])
    await done(client, "addLabel", {"files": at(f"noarch/{NEW[0]}"), "label": "stable"})
    await done(client, "removeLabel", {"files": at(f"noarch/{OLD[0]}"), "label": "stable"})
    await done(client, "removeFiles", {"files": at(WHEEL[0], "pypi")})
    assert await stage.channel() == ([NEW[0], NEXT[0]], [])
    await done(client, "moveLabel", {"namespace": "acme", "from": "main", "to": "stable"})
    assert await stage.channel() == ([OLD[0], NEW[0], NEXT[0]], [])
    assert await sound(stage.house)


async def test_an_upload_without_a_label_is_refused_while_main_is_locked(house: House, alice: Person, bob: Person, acme: Company) -> None:
    """`main` can be locked before any file has it."""
    await acme.group("workers", "WRITE", bob, everything=True)
    await done(alice.client, "lockLabel", {"namespace": "acme", "label": "main"})
    assert sentence(await put(bob.client, OLD), 403).startswith("The label main is locked.")
    assert (await put(bob.client, OLD, "dev")).status_code == 201
    await done(alice.client, "unlockLabel", {"namespace": "acme", "label": "main"})
    assert (await put(bob.client, NEW)).status_code == 201
    assert [event[1] for event in await events("label.lock")] == [event[1] for event in await events("label.unlock")] == ["acme: main"]


async def test_a_one_time_address_does_not_get_around_a_lock_that_came_later(house: House, alice: Person, bob: Person, acme: Company) -> None:
    await acme.group("workers", "WRITE", bob, everything=True)
    input = {"namespace": "acme", "package": "ball", "basename": OLD[0], "labels": ["stable"]}
    url = (await done(bob.client, "createUpload", input, "url"))["url"]
    await done(alice.client, "createLabel", {"namespace": "acme", "label": "stable"})
    await done(alice.client, "lockLabel", {"namespace": "acme", "label": "stable"})
    assert sentence(await house.anyone.put(url, content=OLD[1]), 403).startswith(LOCKED)
    await done(alice.client, "unlockLabel", {"namespace": "acme", "label": "stable"})
    assert (await house.anyone.put(url, content=OLD[1])).status_code == 201


async def test_a_lock_is_set_once_and_undone_once(house: House, alice: Person) -> None:
    await alice.has(*OLD, labels=["stable"])
    ask = {"namespace": "alice", "label": "stable"}
    first = await done(alice.client, "lockLabel", ask, "label { lockedAt }")
    assert await done(alice.client, "lockLabel", ask, "label { lockedAt }") == first
    for _ in range(2):
        assert (await done(alice.client, "unlockLabel", ask, "label { locked lockedAt }"))["label"] == {"locked": False, "lockedAt": None}
    assert (len(await events("label.lock")), len(await events("label.unlock"))) == (1, 1)


Attempt = Callable[[Stage, httpx.AsyncClient], Awaitable[dict[str, Any]]]


async def copied(stage: Stage, client: httpx.AsyncClient) -> dict[str, Any]:
    return await change(client, "copyLabel", {"namespace": "acme", "from": "main", "to": "stable"})


async def moved(stage: Stage, client: httpx.AsyncClient) -> dict[str, Any]:
    return await change(client, "moveLabel", {"namespace": "acme", "from": "stable", "to": "old"})


async def deleted(stage: Stage, client: httpx.AsyncClient) -> dict[str, Any]:
    return await change(client, "deleteLabel", {"namespace": "acme", "label": "stable"})


async def transferred(stage: Stage, client: httpx.AsyncClient) -> dict[str, Any]:
    name = (await look(client, "{ viewer { name } }"))["viewer"]
    return await change(client, "transferPackage", {"packageId": stage.package["id"], "namespace": name["name"] if name else "acme"})


@pytest.mark.parametrize("attempt", [copied, moved, deleted, transferred])
@pytest.mark.parametrize("who", BELOW)
async def test_no_other_way_leads_around_it(stage: Stage, attempt: Attempt, who: str) -> None:
    before = await stage.house.rows()
    result = await attempt(stage, stage.people[who])
    assert result["__typename"] in ("PermissionDeniedError", "NotFoundError"), result
    assert await stage.house.rows() == before
    assert await stage.channel() == ([OLD[0]], [WHEEL[0]])
