"""Visibility of every type of package: what is made private is gone from every document, shard, sidecar, search and count at once, and comes back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from changes import done, look, package_of, refused
from conda_builder import build_conda
from entrepot.db.sql import execute
from environment_builder import build_environment
from house import House, Person, sentence
from mover import JSON, collaborate, conda_names, found, member, organization, pypi_files, shard_url, shelf_files
from notebook_builder import build_notebook, markdown
from pypi_builder import build_wheel

CONDA, WHEEL = build_conda("ball", "1.0"), build_wheel("ball", "1.0", ["requests"])
NOTEBOOK, ENVIRONMENT = build_notebook(markdown("# Ball")), build_environment("ball")
DOCUMENTS = (
    "/conda/alice/noarch/repodata.json",
    "/conda/alice/noarch/repodata.json.zst",
    "/conda/alice/noarch/repodata_shards.msgpack.zst",
    "/pypi/alice/simple/",
    "/notebook/alice/index.json",
    "/environment/alice/index.json",
)
FILES = (
    f"/conda/alice/noarch/{CONDA[0]}",
    f"/pypi/alice/files/{WHEEL[0]}",
    f"/pypi/alice/files/{WHEEL[0]}.metadata",
    "/pypi/alice/simple/ball/",
    "/notebook/alice/ball/1/ball.ipynb",
    "/notebook/alice/ball/ball.ipynb",
    "/notebook/alice/ball/index.json",
    "/environment/alice/ball/1/ball.yml",
    "/environment/alice/ball/ball.yml",
)


async def publish(alice: Person, **options: Any) -> str:
    """A package of all four types; its id."""
    await alice.has(*CONDA, labels=["main", "dev"], **options)
    await alice.has(*WHEEL, **options)
    await alice.has("ball.ipynb", NOTEBOOK, package="ball", version="1", **options)
    await alice.has("ball.yml", ENVIRONMENT, package="ball", version="1", **options)
    return str((await package_of(alice.client, "ball"))["id"])


@pytest.fixture
async def ball(alice: Person) -> str:
    return await publish(alice)


async def seen(client: httpx.AsyncClient) -> dict[str, Any]:
    """All that somebody finds of it."""
    shown: dict[str, Any] = {path: (await client.get(path)).status_code for path in FILES}
    shown["conda"] = [await conda_names(client, "alice"), await conda_names(client, "alice", label="dev")]
    shown["pypi"] = await pypi_files(client, "alice", "ball")
    shown["shelves"] = [await shelf_files(client, type, "alice") for type in ("notebook", "environment")]
    shown["search"] = await found(client, "ball")
    counts = await look(client, '{ packages { totalCount } namespace(name: "alice") { packages { totalCount } labels { name } } }')
    shown["counts"] = counts["packages"]["totalCount"], counts["namespace"]["packages"]["totalCount"]
    shown["labels"] = [label["name"] for label in counts["namespace"]["labels"]]
    return shown


NOTHING: dict[str, Any] = dict.fromkeys(FILES, 404) | {
    "conda": [[], []],
    "pypi": [],
    "shelves": [[], []],
    "search": [],
    "counts": (0, 0),
    "labels": ["main"],
}


async def test_what_is_made_private_is_gone_at_once_and_comes_back_as_it_was(depot: House, alice: Person, bob: Person, ball: str) -> None:
    before, shard = await seen(depot.anyone), await shard_url(depot.anyone, "alice", "ball")
    etags = {path: (await depot.anyone.get(path)).headers["etag"] for path in DOCUMENTS}
    assert [before[path] for path in FILES] == [200, 200, 200, 200, 200, 302, 200, 200, 302]
    for _ in range(2):
        await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
        for client in (depot.anyone, bob.client):
            assert await seen(client) == NOTHING
            assert (await client.get(shard)).status_code == 404
        for path, etag in etags.items():
            assert (await depot.anyone.get(path, headers={"if-none-match": etag})).status_code == 200, path
        assert await seen(alice.client) == before
        assert (await alice.client.get(shard)).headers["cache-control"].startswith("private, ")
        await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
        assert await seen(bob.client) == await seen(depot.anyone) == before
        assert {path: (await depot.anyone.get(path)).headers["etag"] for path in DOCUMENTS} == etags
        assert (await depot.anyone.get(shard)).headers["cache-control"].startswith("public, ")


async def test_what_happens_to_a_private_package_moves_no_etag_of_anybody_else(depot: House, alice: Person, ball: str) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    etags = {path: (await depot.anyone.get(path)).headers["etag"] for path in DOCUMENTS}
    await alice.has(*build_conda("ball", "2.0"))
    await alice.has(*build_wheel("ball", "2.0"))
    await alice.has("ball.ipynb", build_notebook(markdown("# Balls")), package="ball", version="2")
    await alice.has("ball.yml", build_environment("ball", ["numpy"]), package="ball", version="2")
    acme = await organization("acme", alice)
    for namespace in ("acme", "alice"):
        await done(alice.client, "transferPackage", {"packageId": ball, "namespace": namespace})
        assert {path: (await depot.anyone.get(path)).headers["etag"] for path in DOCUMENTS} == etags
    assert acme.id


DEFAULTS: dict[str, tuple[tuple[str, bytes], dict[str, Any]]] = {
    "conda": (CONDA, {}),
    "pypi": (WHEEL, {}),
    "notebook": (("ball.ipynb", NOTEBOOK), {"package": "ball", "version": "1"}),
    "environment": (("ball.yml", ENVIRONMENT), {"package": "ball", "version": "1"}),
}


@pytest.mark.parametrize("type", DEFAULTS)
async def test_a_first_upload_takes_the_default_of_its_namespace(depot: House, alice: Person, type: str) -> None:
    file, options = DEFAULTS[type]
    await execute("UPDATE namespace SET default_visibility = 'private' WHERE name = 'alice'")
    await alice.has(*file, **options)
    assert (await package_of(alice.client, "ball"))["visibility"] == "PRIVATE"
    assert await seen(depot.anyone) == NOTHING
    assert await found(alice.client, "ball") == ["alice/ball"]
    await execute("UPDATE namespace SET default_visibility = 'public' WHERE name = 'alice'")
    assert (await package_of(alice.client, "ball"))["visibility"] == "PRIVATE"


@pytest.mark.parametrize("type", DEFAULTS)
async def test_who_says_otherwise_is_heard_at_creation_alone(depot: House, alice: Person, type: str) -> None:
    (basename, body), options = DEFAULTS[type]
    await execute("UPDATE namespace SET default_visibility = 'private' WHERE name = 'alice'")
    await alice.has(basename, body, **options, private="false")
    assert (await package_of(depot.anyone, "ball"))["visibility"] == "PUBLIC"
    assert sentence(await alice.put(basename, body, **options, private="true"), 409)
    assert (await package_of(depot.anyone, "ball"))["visibility"] == "PUBLIC"


async def test_a_package_that_is_created_takes_the_default_too(alice: Person) -> None:
    await execute("UPDATE namespace SET default_visibility = 'private' WHERE name = 'alice'")
    made = await done(alice.client, "createPackage", {"namespace": "alice", "name": "quiet"}, "package { visibility }")
    assert made == {"package": {"visibility": "PRIVATE"}}
    made = await done(alice.client, "createPackage", {"namespace": "alice", "name": "loud", "visibility": "PUBLIC"}, "package { visibility }")
    assert made == {"package": {"visibility": "PUBLIC"}}


async def test_on_a_closed_site_what_is_public_is_for_everybody_with_a_token(depot: House, alice: Person, bob: Person, ball: str) -> None:
    depot.site.settings.anonymous_read = False
    try:
        for path in (*FILES, *DOCUMENTS):
            assert (await depot.anyone.get(path)).status_code == 401, path
        assert await found(depot.anyone, "ball") == []
        assert await package_of(depot.anyone, "ball") is None
        assert await found(bob.client, "ball") == ["alice/ball"]
        await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
        assert await seen(bob.client) == NOTHING
    finally:
        depot.site.settings.anonymous_read = True


# -- what each role may do with it -------------------------------------------------------------------------------------------------


async def test_a_collaborator_removes_files_and_releases_and_neither_deletes_nor_hides_the_package(
    depot: House, alice: Person, bob: Person, ball: str
) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    await collaborate(bob, "ball")
    await alice.has(*build_conda("ball", "2.0"))
    package = await package_of(bob.client, "ball")
    await done(bob.client, "removeFiles", {"files": {"ids": [package["files"][WHEEL[0]]]}})
    await done(bob.client, "removeRelease", {"releaseId": package["releases"]["2.0"]})
    await done(bob.client, "updatePackage", {"packageId": ball, "summary": "Round."})
    for name, input in (
        ("deletePackage", {"packageId": ball, "confirmation": "alice/ball"}),
        ("updatePackage", {"packageId": ball, "visibility": "PUBLIC"}),
        ("transferPackage", {"packageId": ball, "namespace": "bob"}),
    ):
        assert (await refused(bob.client, name, input))[0] == "PermissionDeniedError"
    assert await conda_names(bob.client, "alice") == [CONDA[0]]
    assert await seen(depot.anyone) == NOTHING


async def test_a_group_reads_or_writes_or_administers_the_packages_that_it_is_about(depot: House, alice: Person, bob: Person) -> None:
    acme = await organization("acme", alice)
    await alice.has(*CONDA, to="acme", private="true")
    await alice.has(*build_conda("car", "1.0"), to="acme", private="true")
    ids = {name: (await package_of(alice.client, name, "acme"))["id"] for name in ("ball", "car")}
    files = {"files": {"addresses": [{"namespace": "acme", "type": "conda", "path": f"noarch/{CONDA[0]}"}]}}
    deletion = {"packageId": ids["ball"], "confirmation": "acme/ball"}
    assert (await refused(bob.client, "removeFiles", files))[0] == "NotFoundError"
    await member(acme, bob, "read", group="readers", package="ball")
    assert await conda_names(bob.client, "acme") == [CONDA[0]]
    assert (await refused(bob.client, "removeFiles", files))[0] == "PermissionDeniedError"
    await member(acme, bob, "write", group="writers", package="ball")
    assert (await refused(bob.client, "deletePackage", deletion))[0] == "PermissionDeniedError"
    await done(bob.client, "removeFiles", files)
    await member(acme, bob, "admin", group="admins", package="ball")
    assert (await refused(bob.client, "deletePackage", {"packageId": ids["car"], "confirmation": "acme/car"}))[0] == "NotFoundError"
    await done(bob.client, "deletePackage", deletion)
    assert (await refused(bob.client, "createPackage", {"namespace": "acme", "name": "ball"}))[0] == "PermissionDeniedError"


async def test_who_administers_a_package_alone_transfers_it_to_a_namespace_of_their_own(depot: House, alice: Person, bob: Person) -> None:
    acme = await organization("acme", alice)
    await alice.has(*CONDA, to="acme")
    ball = (await package_of(alice.client, "ball", "acme"))["id"]
    await member(acme, bob, "admin", group="admins", package="ball")
    await execute("UPDATE label SET locked_at = 1 WHERE namespace_id = $1", acme.id)
    kind, message = await refused(bob.client, "transferPackage", {"packageId": ball, "namespace": "bob"})
    assert (kind, "locked" in message) == ("PermissionDeniedError", True)
    await execute("UPDATE label SET locked_at = NULL WHERE namespace_id = $1", acme.id)
    await done(bob.client, "transferPackage", {"packageId": ball, "namespace": "bob"})
    assert await conda_names(depot.anyone, "bob") == [CONDA[0]]


async def test_a_bound_token_moves_nothing_out_of_its_package(depot: House, alice: Person, bob: Person, ball: str) -> None:
    row = await look(alice.client, '{ package(namespace: "alice", name: "ball") { id } }')
    token = await alice.new_token("all")
    await execute(
        "UPDATE token SET package_id = (SELECT id FROM package WHERE name = 'ball') WHERE id = (SELECT max(id) FROM token)",
    )
    client = depot.client(Authorization=f"Bearer {token}")
    await organization("acme", alice)
    for name, input in (
        ("transferPackage", {"packageId": row["package"]["id"], "namespace": "acme"}),
        ("copyFiles", {"files": {"packageId": ball}, "namespace": "acme"}),
        ("moveFiles", {"files": {"packageId": ball}, "namespace": "acme"}),
    ):
        assert (await refused(client, name, input))[0] == "PermissionDeniedError"
    assert (await client.get("/pypi/alice/simple/ball/", headers={"accept": JSON})).status_code == 200
