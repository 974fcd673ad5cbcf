"""`createLabel`, `copyLabel`, `moveLabel`, `deleteLabel`: a label as a whole, in one step, and its channels of every type with it."""

from __future__ import annotations

from typing import Any

import pytest
from changes import change, done, events, look, package_of, refused, stopped
from company import Company
from conda_builder import build_conda
from house import House, Person
from mover import collaborate, conda_names, pypi_files, sound
from pypi_builder import build_wheel

LABELS = '{ namespace(name: "alice") { labels { name locked lockedAt viewerCanAdminister viewerCanDelete viewerCanUse } } }'
OLD, NEW, WHEEL = build_conda("ball", "1.0"), build_conda("ball", "2.0"), build_wheel("ball", "1.0")
CAR = build_conda("car", "1.0", subdir="linux-64")


@pytest.fixture
async def stock(alice: Person) -> None:
    """Two conda files and a wheel under `dev`, of which one is under `main` too; another package under `main` alone."""
    await alice.has(*OLD, labels=["dev"])
    await alice.has(*NEW, labels=["main", "dev"])
    await alice.has(*WHEEL, labels=["dev"])
    await alice.has(*CAR)


Channel = tuple[list[str], list[str], list[str]]


async def channel(client: Any, label: str) -> Channel:
    """What installers find under a label: noarch, linux-64, and the project's wheels."""
    return (
        await conda_names(client, "alice", label=label),
        await conda_names(client, "alice", "linux-64", label=label),
        await pypi_files(client, "alice", "ball", label=label),
    )


EMPTY: Channel = ([], [], [])
ALL: Channel = ([OLD[0], NEW[0]], [], [WHEEL[0]])


async def names(client: Any) -> list[str]:
    return [one["name"] for one in (await look(client, LABELS))["namespace"]["labels"]]


@pytest.mark.usefixtures("stock")
async def test_a_label_is_copied_to_a_new_one_and_its_channels_follow_at_once(house: House, alice: Person) -> None:
    assert await channel(house.anyone, "dev") == ALL
    assert await channel(house.anyone, "stable") == EMPTY
    made = await done(alice.client, "copyLabel", {"namespace": "Alice", "from": "Dev", "to": "Stable"}, "changed label { name locked }")
    assert made == {"changed": 3, "label": {"name": "stable", "locked": False}}
    assert await channel(house.anyone, "stable") == await channel(house.anyone, "dev") == ALL
    assert await channel(house.anyone, "main") == ([NEW[0]], [CAR[0]], [])
    made = await done(alice.client, "copyLabel", {"namespace": "alice", "from": "dev", "to": "main"}, "changed")
    assert made == {"changed": 2}
    assert await channel(house.anyone, "main") == ([OLD[0], NEW[0]], [CAR[0]], [WHEEL[0]])
    assert (await done(alice.client, "copyLabel", {"namespace": "alice", "from": "dev", "to": "main"}, "changed"))["changed"] == 0
    assert await events("label.copy") == [
        ("alice", "alice: dev", {"to": "stable", "files": 3}),
        ("alice", "alice: dev", {"to": "main", "files": 2}),
        ("alice", "alice: dev", {"to": "main", "files": 0}),
    ]
    assert await sound(house)


@pytest.mark.usefixtures("stock")
async def test_a_label_that_is_moved_leaves_an_empty_one_behind(house: House, alice: Person) -> None:
    made = await done(alice.client, "moveLabel", {"namespace": "alice", "from": "dev", "to": "main"}, "changed label { name }")
    assert made == {"changed": 3, "label": {"name": "main"}}
    assert await channel(house.anyone, "dev") == EMPTY
    assert await channel(house.anyone, "main") == ([OLD[0], NEW[0]], [CAR[0]], [WHEEL[0]])
    assert await names(alice.client) == ["dev", "main"]
    assert await names(house.anyone) == ["main"]
    labels = (await package_of(alice.client, "ball"))["labels"]
    assert labels == {f"noarch/{OLD[0]}": ["main"], f"noarch/{NEW[0]}": ["main"], WHEEL[0]: ["main"]}
    made = await done(alice.client, "moveLabel", {"namespace": "alice", "from": "main", "to": "old"}, "changed")
    assert made["changed"] == 4
    assert await channel(house.anyone, "main") == EMPTY
    assert await events("label.move") == [("alice", "alice: dev", {"to": "main", "files": 3}), ("alice", "alice: main", {"to": "old", "files": 4})]
    assert await sound(house)


@pytest.mark.usefixtures("stock")
async def test_a_file_without_a_label_stays_downloadable_and_shows_in_no_channel(house: House, alice: Person) -> None:
    wanted = "name changed deletedId namespace { name }"
    before = (await look(alice.client, '{ namespace(name: "alice") { labels { id name } } }'))["namespace"]["labels"]
    made = await done(alice.client, "deleteLabel", {"namespace": "alice", "label": "dev"}, wanted)
    assert made.pop("deletedId") == next(one["id"] for one in before if one["name"] == "dev")
    assert made == {"name": "dev", "changed": 3, "namespace": {"name": "alice"}}
    assert await channel(house.anyone, "dev") == EMPTY
    assert await channel(house.anyone, "main") == ([NEW[0]], [CAR[0]], [])
    assert await names(alice.client) == ["main"]
    for path, body in ((f"/conda/alice/noarch/{OLD[0]}", OLD[1]), (f"/pypi/alice/files/{WHEEL[0]}", WHEEL[1])):
        assert (await house.anyone.get(path)).content == body
    assert (await refused(alice.client, "deleteLabel", {"namespace": "alice", "label": "dev"})) == ("NotFoundError", "alice has no label dev.")
    assert await events("label.delete") == [("alice", "alice: dev", {"files": 3})]
    await alice.has(*build_conda("boat", "1.0"), labels=["dev"])  # the name is free, and its channel begins anew
    assert await channel(house.anyone, "dev") == (["boat-1.0-0.conda"], [], [])
    assert await sound(house)


async def test_a_label_is_created_before_any_file_has_it(house: House, alice: Person) -> None:
    made = await done(alice.client, "createLabel", {"namespace": "alice", "label": "Nightly:2026.1"}, "label { name locked namespace { name } }")
    assert made == {"label": {"name": "nightly:2026.1", "locked": False, "namespace": {"name": "alice"}}}
    kind, message = await refused(alice.client, "createLabel", {"namespace": "alice", "label": "nightly:2026.1"})
    assert (kind, message) == ("ConflictError", "alice has a label nightly:2026.1 already.")
    assert await names(alice.client) == ["main", "nightly:2026.1"]
    assert (await house.anyone.get("/conda/alice/label/nightly:2026.1/noarch/repodata.json")).status_code == 404
    assert (await alice.client.get("/conda/alice/label/nightly:2026.1/noarch/repodata.json")).status_code == 200
    assert await events("label.create") == [("alice", "alice: nightly:2026.1", {})]


@pytest.mark.usefixtures("stock")
async def test_channels_of_other_labels_keep_their_etags(house: House, alice: Person) -> None:
    paths = ("/conda/alice/noarch/repodata.json", "/conda/alice/noarch/repodata_shards.msgpack.zst", "/pypi/alice/simple/")
    before = {path: (await house.anyone.get(path)).headers["etag"] for path in paths}
    await done(alice.client, "copyLabel", {"namespace": "alice", "from": "dev", "to": "stable"})
    await done(alice.client, "moveLabel", {"namespace": "alice", "from": "stable", "to": "older"})
    await done(alice.client, "deleteLabel", {"namespace": "alice", "label": "older"})
    for path, etag in before.items():
        assert (await house.anyone.get(path, headers={"if-none-match": etag})).status_code == 304


async def test_private_packages_go_along_and_stay_hidden(house: House, alice: Person) -> None:
    await alice.has(*OLD, labels=["dev"], private="true")
    await alice.has(*CAR, labels=["dev"])
    assert (await done(alice.client, "copyLabel", {"namespace": "alice", "from": "dev", "to": "stable"}, "changed"))["changed"] == 2
    assert await channel(house.anyone, "stable") == ([], [CAR[0]], [])
    assert await channel(alice.client, "stable") == ([OLD[0]], [CAR[0]], [])
    await done(alice.client, "moveLabel", {"namespace": "alice", "from": "dev", "to": "old"})
    await done(alice.client, "deleteLabel", {"namespace": "alice", "label": "stable"})
    assert await channel(alice.client, "old") == ([OLD[0]], [CAR[0]], [])
    assert await channel(alice.client, "stable") == EMPTY


@pytest.mark.usefixtures("stock")
async def test_labels_of_another_namespace_of_the_same_name_are_left_alone(house: House, alice: Person, bob: Person) -> None:
    await bob.has(*OLD, labels=["dev"])
    await done(alice.client, "moveLabel", {"namespace": "alice", "from": "dev", "to": "stable"})
    await done(alice.client, "deleteLabel", {"namespace": "alice", "label": "dev"})
    assert await conda_names(house.anyone, "bob", label="dev") == [OLD[0]]
    assert await conda_names(house.anyone, "bob", label="stable") == []


CHANGES: list[tuple[str, dict[str, str]]] = [
    ("createLabel", {"label": "new"}),
    ("copyLabel", {"from": "dev", "to": "new"}),
    ("moveLabel", {"from": "dev", "to": "new"}),
    ("deleteLabel", {"label": "dev"}),
    ("lockLabel", {"label": "dev"}),
    ("unlockLabel", {"label": "dev"}),
]


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize(("name", "input"), CHANGES, ids=[name for name, _ in CHANGES])
async def test_only_who_administers_the_namespace_may(house: House, alice: Person, bob: Person, name: str, input: dict[str, str]) -> None:
    await collaborate(bob, "ball")
    carol = await house.person("carol")
    before = await house.rows()
    for client in (bob.client, carol.client):
        kind, message = await refused(client, name, {"namespace": "alice", **input})
        assert kind == "PermissionDeniedError"
        assert "for the administrators of the namespace alice" in message
    assert await stopped(house.anyone, name, {"namespace": "alice", **input}) == "UNAUTHENTICATED"
    for scope in ("api:read", "repos", "conda"):
        assert await stopped(await alice.scoped(scope), name, {"namespace": "alice", **input}) == "PERMISSION_DENIED"
    assert (await refused(bob.client, name, {"namespace": "nobody", **input}))[0] == "NotFoundError"
    assert await house.rows() == before
    root = await house.person("root", admin=True)
    await done(root.client, name, {"namespace": "alice", **input})


async def test_in_an_organization_owners_and_administrators_of_everything_may(house: House, acme: Company, alice: Person, bob: Person) -> None:
    carol, dora = await house.person("carol"), await house.person("dora")
    package = await acme.package("ball")
    await acme.group("chiefs", "ADMIN", bob, everything=True)
    await acme.group("workers", "WRITE", carol, everything=True)
    await acme.group("ballers", "ADMIN", dora, packages={"ball": package})
    for person, may in ((alice, True), (bob, True), (carol, False), (dora, False)):
        result = await change(person.client, "createLabel", {"namespace": "acme", "label": f"by-{person.name}"})
        assert result["__typename"] == ("CreateLabelPayload" if may else "PermissionDeniedError"), person.name
    token = (await done(alice.client, "createToken", {"name": "ci", "scopes": ["all"], "owner": "acme"}, "secret"))["secret"]
    machine = house.client(Authorization=f"Bearer {token}")
    assert (await refused(machine, "createLabel", {"namespace": "acme", "label": "by-machine"}))[0] == "PermissionDeniedError"


@pytest.mark.usefixtures("stock")
async def test_what_cannot_be_is_refused_with_the_field(house: House, alice: Person) -> None:
    before = await house.rows()
    for name, input, field in (
        ("createLabel", {"label": "a/b"}, "label"),
        ("createLabel", {"label": ""}, "label"),
        ("createLabel", {"label": "x" * 129}, "label"),
        ("createLabel", {"label": "a\0"}, "label"),
        ("copyLabel", {"from": "dev", "to": "DEV"}, "to"),
        ("copyLabel", {"from": "d/v", "to": "new"}, "from"),
        ("moveLabel", {"from": "dev", "to": "1st"}, "to"),
        ("deleteLabel", {"label": "main"}, "label"),
        ("lockLabel", {"label": "a b"}, "label"),
        ("unlockLabel", {"label": "ünder"}, "label"),
    ):
        result = await change(alice.client, name, {"namespace": "alice", **input})
        assert (result["__typename"], result["field"]) == ("ValidationError", field), (name, input)
    for name, input in (("copyLabel", {"from": "never", "to": "new"}), ("moveLabel", {"from": "never", "to": "new"})):
        assert await refused(alice.client, name, {"namespace": "alice", **input}) == ("NotFoundError", "alice has no label never.")
    for name in ("deleteLabel", "lockLabel", "unlockLabel"):
        assert await refused(alice.client, name, {"namespace": "alice", "label": "never"}) == ("NotFoundError", "alice has no label never.")
    assert await house.rows() == before


@pytest.mark.usefixtures("stock")
async def test_a_page_learns_what_its_reader_may_do_with_each_label(house: House, alice: Person, bob: Person) -> None:
    await collaborate(bob, "ball")
    await done(alice.client, "lockLabel", {"namespace": "alice", "label": "dev"})

    async def may(client: Any) -> dict[str, tuple[bool, bool, bool]]:
        found = (await look(client, LABELS))["namespace"]["labels"]
        assert all(one["locked"] == (one["lockedAt"] is not None) for one in found)
        return {one["name"]: (one["viewerCanAdminister"], one["viewerCanDelete"], one["viewerCanUse"]) for one in found}

    assert await may(alice.client) == {"dev": (True, True, True), "main": (True, False, True)}
    assert await may(bob.client) == {"dev": (False, False, False), "main": (False, False, True)}
    assert await may(house.anyone) == {"dev": (False, False, False), "main": (False, False, False)}
    assert await may(await alice.scoped("api:read")) == {"dev": (False, False, False), "main": (False, False, False)}
