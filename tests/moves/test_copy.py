"""`copyFiles`: what is copied, what is shared, what is met there, who may; and that a copy never publishes."""

from __future__ import annotations

from typing import Any

import pytest
from changes import change, done, events, look, package_of, refused, stopped
from conda_builder import build_conda
from entrepot.db.sql import execute, fetch
from entrepot.services import copies
from house import House, Person
from mover import Organization, collaborate, conda_names, found, member, pypi_files, sound
from pypi_builder import build_wheel

OLD, NEW = build_conda("ball", "1.0"), build_conda("ball", "2.0")
WHEEL = build_wheel("ball", "1.0", ["requests"])
OTHER = build_conda("ball", "1.0", files={"other": b"bytes"})
WANTED = "added unchanged files { path downloadUrl }"
PATH = f"noarch/{OLD[0]}"


@pytest.fixture
async def ball(alice: Person) -> Any:
    """Alice's public package of two types."""
    await alice.has(*OLD)
    await alice.has(*NEW, labels=["main", "dev"])
    await alice.has(*WHEEL)
    return await package_of(alice.client, "ball")


def whole(ball: Any, **more: Any) -> dict[str, Any]:
    return {"files": {"packageId": ball["id"]}, **more}


def one(path: str = PATH, **more: Any) -> dict[str, Any]:
    return {"files": {"addresses": [{"namespace": "alice", "type": "conda", "path": path}]}, **more}


async def test_a_stranger_copies_a_public_package_and_nothing_changes_where_it_was(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    before = {path: (await depot.anyone.get(path)).headers["etag"] for path in ("/conda/alice/noarch/repodata.json", "/pypi/alice/simple/ball/")}
    blobs = [dict(row) for row in await fetch("SELECT sha256, state FROM blob ORDER BY sha256")]
    made = await done(bob.client, "copyFiles", whole(ball, namespace="Bob"), "added unchanged")
    assert made == {"added": 3, "unchanged": 0}
    assert await conda_names(depot.anyone, "bob") == [OLD[0], NEW[0]]
    assert await conda_names(depot.anyone, "bob", label="dev") == [NEW[0]]
    assert await pypi_files(depot.anyone, "bob", "ball") == [WHEEL[0]]
    assert (await depot.anyone.get(f"/conda/bob/{PATH}")).content == OLD[1]
    assert "Requires-Dist: requests" in (await depot.anyone.get(f"/pypi/bob/files/{WHEEL[0]}.metadata")).text
    assert {path: (await depot.anyone.get(path)).headers["etag"] for path in before} == before
    assert [dict(row) for row in await fetch("SELECT sha256, state FROM blob ORDER BY sha256")] == blobs
    assert await found(depot.anyone, "ball") == ["alice/ball", "bob/ball"]
    theirs = await package_of(depot.anyone, "ball", "bob")
    assert (sorted(theirs["releases"]), theirs["id"] != ball["id"]) == (sorted(ball["releases"]), True)
    assert await events("file.copy") == [("bob", "bob/ball", {"from": "alice/ball", "files": 3, "labels": ["dev", "main"]})]
    assert await sound(depot)


async def test_a_release_or_single_files_are_copied_under_labels_of_ones_own(depot: House, bob: Person, ball: Any) -> None:
    await done(bob.client, "copyFiles", {"files": {"releaseId": ball["releases"]["2.0"]}, "namespace": "bob", "labels": ["Staging"]})
    assert await conda_names(depot.anyone, "bob", label="staging") == [NEW[0]]
    assert await conda_names(depot.anyone, "bob") == []
    made = await done(bob.client, "copyFiles", one(namespace="bob"), WANTED)
    assert made == {"added": 1, "unchanged": 0, "files": [{"path": PATH, "downloadUrl": f"http://localhost/conda/bob/{PATH}"}]}
    assert await conda_names(depot.anyone, "bob") == [OLD[0]]
    assert [subject for _, subject, _ in await events("file.copy")] == ["bob/ball", f"bob/conda/{PATH}"]
    assert await sound(depot)


async def test_only_those_with_a_label_are_copied(depot: House, bob: Person, ball: Any) -> None:
    await done(bob.client, "copyFiles", whole(ball, namespace="bob", fromLabel="dev", labels=["main"]))
    assert await conda_names(depot.anyone, "bob") == [NEW[0]]
    assert (await refused(bob.client, "copyFiles", whole(ball, namespace="bob", fromLabel="nothing")))[0] == "NotFoundError"


async def test_within_a_namespace_files_get_labels(depot: House, alice: Person, ball: Any) -> None:
    made = await done(alice.client, "copyFiles", whole(ball, labels=["rc"], fromLabel="main", mode="UPDATE"), "added unchanged")
    assert made == {"added": 0, "unchanged": 3}
    assert await conda_names(depot.anyone, "alice", label="rc") == [OLD[0], NEW[0]]
    assert await conda_names(depot.anyone, "alice") == [OLD[0], NEW[0]]
    assert await pypi_files(depot.anyone, "alice", "ball", label="rc") == [WHEEL[0]]
    result = await change(alice.client, "copyFiles", whole(ball))
    assert (result["__typename"], result["field"]) == ("ValidationError", "labels")


async def test_copies_without_any_label_show_in_no_channel(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    await done(bob.client, "copyFiles", whole(ball, namespace="bob", labels=[]))
    assert list((await package_of(bob.client, "ball", "bob"))["labels"].values()) == [[], [], []]
    assert await conda_names(depot.anyone, "bob") == []
    assert (await depot.anyone.get(f"/conda/bob/{PATH}")).content == OLD[1]
    await done(alice.client, "moveFiles", whole(ball, fromLabel="dev", labels=[]))
    assert await conda_names(depot.anyone, "alice", label="dev") == []
    assert await conda_names(depot.anyone, "alice") == [OLD[0], NEW[0]]
    assert await sound(depot)


async def test_the_same_bytes_are_unchanged_and_get_the_labels_that_they_lack(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    await bob.has(*OLD)
    etag = (await depot.anyone.get("/conda/bob/noarch/repodata.json")).headers["etag"]
    assert await done(bob.client, "copyFiles", one(namespace="bob"), "added unchanged") == {"added": 0, "unchanged": 1}
    assert (await depot.anyone.get("/conda/bob/noarch/repodata.json")).headers["etag"] == etag
    assert await events("file.copy") == []
    await done(bob.client, "copyFiles", one(namespace="bob", labels=["dev"]))
    assert await conda_names(depot.anyone, "bob", label="dev") == [OLD[0]]
    assert len(await events("file.copy")) == 1
    assert await sound(depot)


async def test_other_bytes_are_a_conflict_that_names_them_and_nothing_is_copied(depot: House, bob: Person, ball: Any) -> None:
    await bob.has(*OTHER)
    before = await depot.rows()
    kind, message = await refused(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert (kind, PATH in message) == ("ConflictError", True)
    assert await depot.rows() == before
    assert await conda_names(depot.anyone, "bob") == [OTHER[0]]


async def test_what_is_there_gives_way_where_that_is_asked_for(depot: House, bob: Person, ball: Any) -> None:
    await bob.has(*OTHER)
    await done(bob.client, "copyFiles", whole(ball, namespace="bob", mode="REPLACE"))
    assert (await depot.anyone.get(f"/conda/bob/{PATH}")).content == OLD[1]
    assert [subject for _, subject, _ in await events("file.remove")] == [f"bob/conda/{PATH}"]
    assert await sound(depot)


async def test_a_namespace_that_never_takes_other_bytes_takes_no_copies_of_them_either(depot: House, bob: Person, ball: Any) -> None:
    await execute("UPDATE namespace SET replace = 'never' WHERE name = 'bob'")
    await bob.has(*OTHER)
    for mode in ("REFUSE", "REPLACE"):
        kind, message = await refused(bob.client, "copyFiles", whole(ball, namespace="bob", mode=mode))
        assert (kind, "never takes" in message) == ("ConflictError", True)
    theirs = await package_of(bob.client, "ball", "bob")
    await done(bob.client, "removeFiles", {"files": {"ids": list(theirs["files"].values())}})
    assert (await refused(bob.client, "copyFiles", whole(ball, namespace="bob")))[0] == "ConflictError"
    assert await conda_names(depot.anyone, "bob") == []


async def test_what_is_there_stays_and_the_others_come_where_that_is_asked_for(depot: House, bob: Person, ball: Any) -> None:
    await bob.has(*OTHER)
    assert await done(bob.client, "copyFiles", whole(ball, namespace="bob", mode="UPDATE"), "added unchanged") == {"added": 2, "unchanged": 0}
    assert (await depot.anyone.get(f"/conda/bob/{PATH}")).content == OTHER[1]
    assert await conda_names(depot.anyone, "bob") == [OLD[0], NEW[0]]
    assert await done(bob.client, "copyFiles", whole(ball, namespace="bob", mode="UPDATE"), "added unchanged") == {"added": 0, "unchanged": 0}


async def test_of_many_conflicts_ten_are_named(bob: Person, alice: Person) -> None:
    for number in range(12):
        await alice.has(*build_conda("ball", f"{number}.0"))
        await bob.has(*build_conda("ball", f"{number}.0", files={"other": b"bytes"}))
    ball = await package_of(alice.client, "ball")
    _, message = await refused(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert message.count(".conda") == 10
    assert "and 2 more" in message


# -- privacy ---------------------------------------------------------------------------------------------------------------------


async def test_a_copy_of_a_private_package_is_private(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball["id"], "visibility": "PRIVATE"})
    await collaborate(bob, "ball")
    await done(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert await conda_names(depot.anyone, "bob") == []
    assert await conda_names(alice.client, "bob") == []
    assert await conda_names(bob.client, "bob") == [OLD[0], NEW[0]]
    assert (await package_of(bob.client, "ball", "bob"))["visibility"] == "PRIVATE"
    assert await found(depot.anyone, "ball") == []


async def test_nothing_private_goes_into_a_public_package(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball["id"], "visibility": "PRIVATE"})
    await collaborate(bob, "ball")
    await bob.has(*build_conda("ball", "9.0"))
    kind, message = await refused(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert (kind, "never publishes" in message) == ("ConflictError", True)
    assert await conda_names(depot.anyone, "bob") == ["ball-9.0-0.conda"]


async def test_what_comes_from_several_packages_of_one_name_is_private_together(depot: House, alice: Person, bob: Person, acme: Organization) -> None:
    public, private = await alice.has(*OLD), await alice.has(*WHEEL, to="acme", private="true")
    files = [{"namespace": one["namespace"], "type": one["type"], "path": one["path"]} for one in (public, private)]
    root = await depot.person("root", admin=True)
    await done(root.client, "copyFiles", {"files": {"addresses": files}, "namespace": "bob"})
    assert sorted((await package_of(bob.client, "ball", "bob"))["files"]) == sorted([PATH, WHEEL[0]])
    assert await package_of(depot.anyone, "ball", "bob") is None


async def test_what_is_public_may_go_into_a_private_package(depot: House, bob: Person, ball: Any) -> None:
    await bob.has(*build_conda("ball", "9.0"), private="true")
    await done(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert await conda_names(depot.anyone, "bob") == []
    assert await conda_names(bob.client, "bob") == [OLD[0], NEW[0], "ball-9.0-0.conda"]


async def test_a_copy_takes_its_visibility_from_its_source_and_not_from_the_namespace(depot: House, bob: Person, ball: Any) -> None:
    await execute("UPDATE namespace SET default_visibility = 'private' WHERE name = 'bob'")
    await done(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert await conda_names(depot.anyone, "bob") == [OLD[0], NEW[0]]


async def test_what_was_said_of_a_file_goes_along(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    await execute("UPDATE file SET state = '{\"yanked\": \"broken\"}' WHERE type = 'pypi'")
    await done(bob.client, "copyFiles", whole(ball, namespace="bob"))
    page = (await depot.anyone.get("/pypi/bob/simple/ball/", headers={"accept": "application/vnd.pypi.simple.v1+json"})).json()
    assert [file["yanked"] for file in page["files"]] == ["broken"]


# -- permission ------------------------------------------------------------------------------------------------------------------


async def test_what_one_may_not_read_is_answered_like_what_is_not_there(depot: House, alice: Person, bob: Person, ball: Any) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball["id"], "visibility": "PRIVATE"})
    inputs = [whole(ball), {"files": {"releaseId": ball["releases"]["1.0"]}}, {"files": {"ids": [ball["files"][PATH]]}}, one()]
    hidden = [await refused(bob.client, "copyFiles", {**input, "namespace": "bob"}) for input in inputs]
    await execute("DELETE FROM package WHERE name = 'ball'")
    absent = [await refused(bob.client, "copyFiles", {**input, "namespace": "bob"}) for input in inputs]
    assert hidden == absent
    assert {kind for kind, _ in hidden} == {"NotFoundError"}


async def test_it_takes_write_on_the_target(depot: House, alice: Person, bob: Person, acme: Organization, ball: Any) -> None:
    input = whole(ball, namespace="acme")
    assert (await refused(bob.client, "copyFiles", input))[0] == "PermissionDeniedError"
    assert await stopped(depot.anyone, "copyFiles", input) == "UNAUTHENTICATED"
    await member(acme, bob, "read", group="readers")
    assert (await refused(bob.client, "copyFiles", input))[0] == "PermissionDeniedError"
    await member(acme, bob, "write", group="writers")
    await done(bob.client, "copyFiles", input)
    assert await conda_names(depot.anyone, "acme") == [OLD[0], NEW[0]]


async def test_of_what_one_only_reads_one_copy_takes_no_more_than_does_not_hold_up_its_writers(
    alice: Person, bob: Person, ball: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MOST_READ", 2)
    result = await change(bob.client, "copyFiles", whole(ball, namespace="bob"))
    assert (result["__typename"], result["field"], "release by release" in result["message"]) == ("ValidationError", "files", True)
    await done(bob.client, "copyFiles", {"files": {"releaseId": ball["releases"]["1.0"]}, "namespace": "bob"})
    await collaborate(bob, "ball")
    assert (await done(bob.client, "copyFiles", whole(ball, namespace="bob"), "added unchanged")) == {"added": 2, "unchanged": 1}


async def test_a_collaborator_of_the_target_package_copies_into_it_and_into_no_other(
    depot: House, alice: Person, bob: Person, acme: Organization, ball: Any
) -> None:
    await alice.has(*build_conda("ball", "9.0"), to="acme")
    await alice.has(*build_conda("car", "1.0"))
    await collaborate(bob, "ball", "acme")
    await done(bob.client, "copyFiles", one(namespace="acme"))
    assert await conda_names(depot.anyone, "acme") == [OLD[0], "ball-9.0-0.conda"]
    assert (await refused(bob.client, "copyFiles", one("noarch/car-1.0-0.conda", namespace="acme")))[0] == "PermissionDeniedError"


async def test_a_freed_name_is_not_taken_by_a_writers_copy(alice: Person, bob: Person, acme: Organization, ball: Any) -> None:
    await alice.has(*OLD, to="acme")
    theirs = await package_of(alice.client, "ball", "acme")
    await done(alice.client, "deletePackage", {"packageId": theirs["id"], "confirmation": "acme/ball"})
    await member(acme, bob, "write", group="writers")
    kind, message = await refused(bob.client, "copyFiles", whole(ball, namespace="acme"))
    assert (kind, "reserved" in message) == ("PermissionDeniedError", True)
    await done(alice.client, "copyFiles", whole(ball, namespace="acme"))


async def test_a_locked_label_of_the_target_takes_its_administrator(alice: Person, bob: Person, acme: Organization, ball: Any) -> None:
    await alice.has(*build_conda("car", "1.0"), to="acme")
    await execute("UPDATE label SET locked_at = 1 WHERE namespace_id = $1", acme.id)
    await member(acme, bob, "write", group="writers")
    assert (await refused(bob.client, "copyFiles", whole(ball, namespace="acme")))[0] == "PermissionDeniedError"
    await done(bob.client, "copyFiles", whole(ball, namespace="acme", labels=["staging"]))
    await done(alice.client, "copyFiles", whole(ball, namespace="acme"))


async def test_it_is_not_possible_to_name_nothing_or_nowhere(alice: Person, ball: Any) -> None:
    assert (await refused(alice.client, "copyFiles", whole(ball, namespace="nobody")))[0] == "NotFoundError"
    for label in ("", "a/b", "A B", "x" * 200):
        assert (await refused(alice.client, "copyFiles", whole(ball, labels=[label])))[0] == "ValidationError"
    many = {"files": {"addresses": [{"namespace": "alice", "type": "conda", "path": str(number)} for number in range(1001)]}, "namespace": "alice"}
    assert (await refused(alice.client, "copyFiles", many))[0] == "ValidationError"


async def test_files_of_a_type_that_no_plugin_knows_are_not_copied(depot: House, bob: Person, ball: Any) -> None:
    await execute("UPDATE file SET type = 'gone' WHERE type = 'pypi'")
    await execute("UPDATE binding SET type = 'gone' WHERE type = 'pypi'")
    assert (await refused(bob.client, "copyFiles", whole(ball, namespace="bob")))[0] == "ConflictError"
    assert await conda_names(depot.anyone, "bob") == []


async def test_files_of_several_namespaces_are_copied_together(depot: House, alice: Person, bob: Person, acme: Organization, ball: Any) -> None:
    await bob.has(*build_conda("car", "1.0"))
    files = {"addresses": [{"namespace": name, "type": "conda", "path": path} for name, path in (("alice", PATH), ("bob", "noarch/car-1.0-0.conda"))]}
    await done(alice.client, "copyFiles", {"files": files, "namespace": "acme"})
    assert await conda_names(depot.anyone, "acme") == [OLD[0], "car-1.0-0.conda"]
    result = await change(alice.client, "copyFiles", {"files": files, "labels": ["dev"]})
    assert (result["__typename"], result["field"]) == ("ValidationError", "namespace")
    result = await change(bob.client, "copyFiles", {"files": files, "namespace": "bob", "labels": ["dev"]})
    assert (result["__typename"], result["field"]) == ("ValidationError", "files")


async def test_downloads_are_counted_anew(depot: House, bob: Person, ball: Any) -> None:
    await depot.anyone.get(f"/conda/alice/{PATH}")
    await depot.site.downloads.write()
    await done(bob.client, "copyFiles", whole(ball, namespace="bob"))
    query = 'query ($name: String!) { package(namespace: $name, name: "ball") { downloads } }'
    assert (await look(bob.client, query, name="alice"))["package"]["downloads"] == 1
    assert (await look(bob.client, query, name="bob"))["package"]["downloads"] == 0
