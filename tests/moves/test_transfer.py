"""`transferPackage`: what goes along, what stays behind, who may, and what is in the way."""

from __future__ import annotations

import pytest
from changes import change, done, events, look, package_of, refused, stopped
from conda_builder import build_conda
from entrepot.db.sql import execute, fetch
from house import House, Person
from mover import Organization, collaborate, conda_names, found, member, organization, pypi_files, shard_url, sound
from pypi_builder import build_wheel

CONDA, NEWER = build_conda("ball", "1.0"), build_conda("ball", "2.0")
WHEEL = build_wheel("ball", "1.0", ["requests"])
WHERE = "package { name namespace { name } visibility }"


@pytest.fixture
async def ball(alice: Person) -> str:
    """The id of alice's package of two types: two conda files, one of them under `dev` too, and a wheel; beside it another package."""
    await alice.has(*CONDA)
    await alice.has(*NEWER, labels=["main", "dev"])
    await alice.has(*WHEEL)
    await alice.has(*build_conda("car", "1.0"))
    return str((await package_of(alice.client, "ball"))["id"])


async def test_channels_of_both_sides_change_at_once(depot: House, alice: Person, acme: Organization, ball: str) -> None:
    anyone = depot.anyone
    assert await conda_names(anyone, "alice") == ["ball-1.0-0.conda", "ball-2.0-0.conda", "car-1.0-0.conda"]
    assert await conda_names(anyone, "acme") == []
    assert await pypi_files(anyone, "alice", "ball") == [WHEEL[0]]
    made = await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "ACME"}, WHERE)
    assert made == {"package": {"name": "ball", "namespace": {"name": "acme"}, "visibility": "PUBLIC"}}
    assert await conda_names(anyone, "alice") == ["car-1.0-0.conda"]
    assert await conda_names(anyone, "acme") == ["ball-1.0-0.conda", "ball-2.0-0.conda"]
    assert await conda_names(anyone, "acme", label="dev") == ["ball-2.0-0.conda"]
    assert await conda_names(anyone, "alice", label="dev") == []
    assert await pypi_files(anyone, "alice", "ball") == []
    assert await pypi_files(anyone, "acme", "ball") == [WHEEL[0]]
    assert await found(anyone, "ball") == ["acme/ball"]
    assert await sound(depot)


async def test_ids_releases_labels_states_and_downloads_go_along(depot: House, alice: Person, acme: Organization, ball: str) -> None:
    await depot.anyone.get(f"/conda/alice/noarch/{CONDA[0]}")
    await depot.site.downloads.write()
    before = await package_of(alice.client, "ball")
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert await package_of(alice.client, "ball", "acme") == before
    query = '{ package(namespace: "acme", name: "ball") { downloads } }'
    assert (await look(depot.anyone, query))["package"]["downloads"] == 1


async def test_both_sides_have_it_in_their_history(alice: Person, acme: Organization, ball: str) -> None:
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert await events("package.transfer") == [("alice", "alice/ball", {"to": "acme/ball", "files": 3})]
    assert await events("package.receive") == [("alice", "acme/ball", {"from": "alice/ball", "files": 3})]
    rows = await fetch("SELECT namespace_id FROM audit_event WHERE action IN ('package.transfer', 'package.receive') ORDER BY id")
    assert [row["namespace_id"] for row in rows] == [alice.actor.namespace_id, acme.id]


async def test_who_receives_a_package_is_no_collaborator_of_it_any_more(
    depot: House, alice: Person, bob: Person, acme: Organization, ball: str
) -> None:
    await collaborate(bob, "ball")
    await collaborate(await depot.person("carol"), "ball")
    await member(acme, bob, "admin", group="admins")
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    await done(bob.client, "transferPackage", {"packageId": ball, "namespace": "bob"})
    names = [row["name"] for row in await fetch("SELECT namespace.name FROM collaborator JOIN namespace ON namespace.id = collaborator.user_id")]
    assert names == ["carol"]


async def test_collaborators_go_along_and_groups_of_the_old_organization_do_not(depot: House, alice: Person, bob: Person, acme: Organization) -> None:
    carol = await depot.person("carol")
    await organization("umbrella", alice)
    await alice.has(*CONDA, to="acme", private="true")
    ball = str((await package_of(alice.client, "ball", "acme"))["id"])
    await collaborate(bob, "ball", "acme")
    await member(acme, carol, "read", group="readers", package="ball")
    for client in (bob.client, carol.client):
        assert await conda_names(client, "acme") == [CONDA[0]]
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "umbrella"})
    assert await conda_names(bob.client, "umbrella") == [CONDA[0]]
    assert await conda_names(carol.client, "umbrella") == []
    assert await package_of(carol.client, "ball", "umbrella") is None
    assert (await fetch("SELECT count(*) AS n FROM group_package"))[0]["n"] == 0
    assert (await bob.put(*NEWER, to="umbrella")).status_code == 201
    assert (await carol.put(*build_conda("ball", "3.0"), to="umbrella")).status_code == 403


async def test_a_private_package_stays_private_and_its_old_shards_are_nobodys(depot: House, alice: Person, bob: Person) -> None:
    acme = await organization("acme", alice)
    await member(acme, bob, "read", group="readers")
    await alice.has(*CONDA, to="acme", private="true")
    ball = str((await package_of(alice.client, "ball", "acme"))["id"])
    shard = await shard_url(bob.client, "acme", "ball")
    assert (await bob.client.get(shard)).status_code == 200
    [stored] = await fetch("SELECT head_id, representation, part, package_id, sha256, generation, stored_at, body FROM shard WHERE part = 'ball'")
    made = await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "alice"}, WHERE)
    assert made["package"]["visibility"] == "PRIVATE"
    assert (await bob.client.get(shard)).status_code == 404
    assert (await alice.client.get(shard)).status_code == 404
    # a worker that has read the old side just before stores what it has rendered of it
    await execute(
        """INSERT INTO shard (head_id, representation, part, package_id, sha256, generation, stored_at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *dict(stored).values(),
    )
    assert (await bob.client.get(shard)).status_code == 404
    assert (await alice.client.get(shard)).status_code == 404
    assert await conda_names(alice.client, "alice") == [CONDA[0]]
    assert await conda_names(bob.client, "alice") == []


async def test_labels_are_made_where_they_are_missing_and_a_locked_one_takes_its_administrator(alice: Person, acme: Organization, ball: str) -> None:
    await alice.has(*build_conda("bus", "1.0"), to="acme", labels=["dev"])
    await execute("UPDATE label SET locked_at = 1 WHERE namespace_id = $1 AND name = 'dev'", acme.id)
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    rows = await fetch("SELECT name, locked_at FROM label WHERE namespace_id = $1 ORDER BY name", acme.id)
    assert [tuple(dict(row).values()) for row in rows] == [("dev", 1), ("main", None)]


async def test_it_takes_an_administrator_of_both_sides(depot: House, alice: Person, bob: Person, acme: Organization, ball: str) -> None:
    input = {"packageId": ball, "namespace": "acme"}
    assert (await refused(bob.client, "transferPackage", input))[0] == "PermissionDeniedError"
    await collaborate(bob, "ball")
    assert (await refused(bob.client, "transferPackage", {"packageId": ball, "namespace": "bob"}))[0] == "PermissionDeniedError"
    kind, message = await refused(alice.client, "transferPackage", {"packageId": ball, "namespace": "bob"})
    assert kind == "PermissionDeniedError"
    assert "bob" in message
    await member(acme, bob, "write", group="writers")
    await bob.has(*build_conda("kite", "1.0"))
    kite = (await package_of(bob.client, "kite", "bob"))["id"]
    assert (await refused(bob.client, "transferPackage", {"packageId": kite, "namespace": "acme"}))[0] == "PermissionDeniedError"
    assert await stopped(depot.anyone, "transferPackage", input) == "UNAUTHENTICATED"
    assert await stopped(await alice.scoped("api:read", "conda"), "transferPackage", input) == "PERMISSION_DENIED"
    assert await conda_names(depot.anyone, "alice") == ["ball-1.0-0.conda", "ball-2.0-0.conda", "car-1.0-0.conda"]


async def test_what_the_actor_may_not_see_is_answered_like_what_is_not_there(depot: House, alice: Person, bob: Person) -> None:
    await alice.has(*CONDA, private="true")
    ball = str((await package_of(alice.client, "ball"))["id"])
    hidden = await refused(bob.client, "transferPackage", {"packageId": ball, "namespace": "bob"})
    await execute("DELETE FROM package WHERE name = 'ball'")
    assert await refused(bob.client, "transferPackage", {"packageId": ball, "namespace": "bob"}) == hidden
    assert hidden[0] == "NotFoundError"


async def test_a_package_goes_to_no_namespace_that_is_not_there_nor_to_its_own(alice: Person, ball: str) -> None:
    assert (await refused(alice.client, "transferPackage", {"packageId": ball, "namespace": "nobody"}))[0] == "NotFoundError"
    result = await change(alice.client, "transferPackage", {"packageId": ball, "namespace": "Alice"})
    assert (result["__typename"], result["field"]) == ("ValidationError", "namespace")


async def test_everything_that_is_in_the_way_is_named_at_once_and_nothing_moves(depot: House, alice: Person, acme: Organization, ball: str) -> None:
    await alice.has(*build_conda("ball", "1.0", files={"other": b"bytes"}), to="acme")
    await alice.has(*WHEEL, to="acme", private="false")
    before = await depot.rows()
    kind, message = await refused(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert kind == "ConflictError"
    for part in (
        "a package ball",
        "the conda name ball",
        "the pypi name ball",
        "the file conda/noarch/ball-1.0-0.conda",
        f"the file pypi/{WHEEL[0]}",
    ):
        assert part in message
    assert await depot.rows() == before
    assert await conda_names(depot.anyone, "alice") == ["ball-1.0-0.conda", "ball-2.0-0.conda", "car-1.0-0.conda"]
    assert await sound(depot)


async def test_of_many_collisions_ten_are_named_and_the_others_counted(alice: Person, acme: Organization) -> None:
    for number in range(12):
        file = build_conda("ball", f"{number}.0")
        await alice.has(*file)
        await alice.has(*file, to="acme")
    ball = (await package_of(alice.client, "ball"))["id"]
    _, message = await refused(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert message.count("the file") == 8
    assert "and 4 more" in message


async def test_a_path_that_was_used_for_other_bytes_is_in_the_way_where_the_target_never_takes_any(
    depot: House, alice: Person, acme: Organization, ball: str
) -> None:
    await execute("UPDATE namespace SET replace = 'never' WHERE id = $1", acme.id)
    await alice.has(*build_conda("ball", "1.0", files={"other": b"bytes"}), to="acme")
    theirs = (await package_of(alice.client, "ball", "acme"))["id"]
    await done(alice.client, "deletePackage", {"packageId": theirs, "confirmation": "acme/ball"})
    _, message = await refused(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert "the path conda/noarch/ball-1.0-0.conda, used before for other bytes" in message
    await execute("UPDATE namespace SET replace = 'after-removal' WHERE id = $1", acme.id)
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert await sound(depot)


async def test_there_and_back_again_leaves_everything_as_it_was(depot: House, alice: Person, acme: Organization, ball: str) -> None:
    before = await package_of(alice.client, "ball")
    pages = {path: (await depot.anyone.get(path)).content for path in ("/conda/alice/noarch/repodata.json", "/pypi/alice/simple/ball/")}
    for namespace in ("acme", "alice", "acme", "alice"):
        await done(alice.client, "transferPackage", {"packageId": ball, "namespace": namespace})
    assert await package_of(alice.client, "ball") == before
    assert {path: (await depot.anyone.get(path)).content for path in pages} == pages
    assert await conda_names(depot.anyone, "acme") == []
    assert [row["name_key"] for row in await fetch("SELECT name_key FROM freed_package WHERE namespace_id = $1", acme.id)] == ["ball"]
    assert (await fetch("SELECT count(*) AS n FROM freed_package"))[0]["n"] == 1
    assert await sound(depot)


async def test_a_cached_index_of_either_side_is_never_served_after_it(depot: House, alice: Person, acme: Organization, ball: str) -> None:
    await alice.has(*build_conda("bus", "1.0"), to="acme")
    etags = {name: (await depot.anyone.get(f"/conda/{name}/noarch/repodata.json")).headers["etag"] for name in ("alice", "acme")}
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    for name, etag in etags.items():
        answer = await depot.anyone.get(f"/conda/{name}/noarch/repodata.json", headers={"if-none-match": etag})
        assert answer.status_code == 200
        assert ("ball-1.0" in answer.text) == (name == "acme")
