"""`setHotfix` and `removeHotfix`: every document says what the administrator says, and the file stays as it was uploaded."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
from changes import change, done, events, look, refused, stopped
from conda_builder import build_conda
from entrepot.db.sql import fetch
from house import House, Person
from mover import collaborate, inflated, shard_url
from msgpack import unpackb
from pypi_builder import build_wheel

OLD, NEW = build_conda("ball", "1.0", depends=["rubber"]), build_conda("ball", "2.0", depends=["rubber"])
TWIN = build_conda("ball", "1.0", ext=".tar.bz2", depends=["rubber"])
CAR = build_conda("car", "1.0", subdir="linux-64")
HOTFIX = {"depends": ["rubber >=2", "air"], "license": None, "constrains": ["nail ==0"], "track_features": ["soft"]}
CHANGED = "changed files { path ... on CondaFile { depends license hotfix } }"


def at(*paths: str, type: str = "conda") -> dict[str, Any]:
    return {"files": {"addresses": [{"namespace": "alice", "type": type, "path": path} for path in paths]}}


async def records(client: httpx.AsyncClient, label: str = "main") -> dict[str, Any]:
    """The records of `ball` by file name: repodata.json, its compressed form and the shard must agree but for what only a shard has."""
    base = "/conda/alice" if label == "main" else f"/conda/alice/label/{label}"
    document = (await client.get(f"{base}/noarch/repodata.json")).json()
    assert orjson.loads(inflated((await client.get(f"{base}/noarch/repodata.json.zst")).content)) == document
    plain = {**document["packages"], **document["packages.conda"]}
    if label == "main":
        shard = unpackb(inflated((await client.get(await shard_url(client, "alice", "ball"))).content))
        for name, record in {**shard["packages"], **shard["packages.conda"]}.items():
            only_here = {"run_exports": record.pop("run_exports")}
            assert only_here["run_exports"] is not None
            assert {**record, "md5": record["md5"].hex(), "sha256": record["sha256"].hex()} == plain[name]
    return plain


async def test_a_hotfix_is_served_in_every_document_shown_in_graphql_logged_and_undone(depot: House, owner: Person) -> None:
    for basename, body in (OLD, TWIN, NEW):
        await owner.has(basename, body, labels=["main", "dev"])
    client, anyone = owner.client, depot.anyone
    before, tags = await records(anyone), await etags(anyone)

    made = await done(client, "setHotfix", {**at(f"noarch/{OLD[0]}", f"noarch/{TWIN[0]}"), "hotfix": HOTFIX}, CHANGED)
    kept = {**HOTFIX, "track_features": "soft"}
    assert made["changed"] == 2
    assert {"path": f"noarch/{OLD[0]}", "depends": ["rubber"], "license": "MIT", "hotfix": kept} in made["files"]
    after = await records(anyone)
    fixed = {name: {key: value for key, value in {**before[name], **kept}.items() if value is not None} for name in (OLD[0], TWIN[0])}
    assert after == {**before, **fixed}
    assert await records(anyone, "dev") == after
    assert all(tag != old for tag, old in zip(await etags(anyone), tags, strict=True))
    unpatched = await anyone.get("/conda/alice/noarch/repodata_from_packages.json")
    assert {**unpatched.json()["packages"], **unpatched.json()["packages.conda"]} == before
    assert (await anyone.get(f"/conda/alice/noarch/{OLD[0]}")).content == OLD[1]

    again = await done(client, "setHotfix", {**at(f"noarch/{OLD[0]}"), "hotfix": HOTFIX}, CHANGED)
    assert again == {"changed": 0, "files": []}
    replaced = await done(client, "setHotfix", {**at(f"noarch/{OLD[0]}"), "hotfix": {"run_exports": ["ball >=1"]}}, CHANGED)
    assert replaced["files"][0]["hotfix"] == {"run_exports": {"weak": ["ball >=1"]}}
    assert (await records(anyone))[OLD[0]] == before[OLD[0]]
    shard = unpackb(inflated((await anyone.get(await shard_url(anyone, "alice", "ball"))).content))
    assert shard["packages.conda"][OLD[0]]["run_exports"] == {"weak": ["ball >=1"]}

    [package] = (await look(client, '{ namespace(name: "alice") { packages { nodes { id } } } }'))["namespace"]["packages"]["nodes"]
    undone = await done(client, "removeHotfix", {"files": {"packageId": package["id"]}}, CHANGED)
    assert (undone["changed"], [file["hotfix"] for file in undone["files"]]) == (2, [None, None])
    assert await records(anyone) == before
    assert await etags(anyone) == tags
    assert await events("hotfix.set") == [
        ("alice", "alice/ball", {"type": "conda", "changed": 2, "files": [f"noarch/{OLD[0]}", f"noarch/{TWIN[0]}"], "hotfix": kept}),
        ("alice", "alice/ball", {"type": "conda", "changed": 1, "files": [f"noarch/{OLD[0]}"], "hotfix": {"run_exports": {"weak": ["ball >=1"]}}}),
    ]
    assert await events("hotfix.remove") == [
        ("alice", "alice/ball", {"type": "conda", "changed": 2, "files": [f"noarch/{OLD[0]}", f"noarch/{TWIN[0]}"]})
    ]


async def etags(client: httpx.AsyncClient) -> list[str]:
    names = ("repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst")
    return [(await client.get(f"/conda/alice/noarch/{name}")).headers["etag"] for name in names]


async def test_what_is_refused_changes_nothing(depot: House, owner: Person) -> None:
    wheel = build_wheel("ball", "1.0")
    for basename, body in (OLD, NEW, CAR, wheel):
        await owner.has(basename, body)
    bob = await depot.person("bob")
    await collaborate(bob, "ball")
    client, anyone = owner.client, depot.anyone
    before, rows = await records(anyone), await depot.rows()
    one = at(f"noarch/{OLD[0]}")
    for hotfix, sentence in (
        ({}, "names no field"),
        ({"depends": "air"}, "list of strings"),
        ({"name": "other"}, "cannot change 'name'"),
        ({"license": "x" * (64 << 10)}, "more than 65,536 bytes"),
        (["depends"], "is an object"),
        ("depends", "is an object"),
        ({"timestamp": 10**30}, "beyond 64 bits"),
    ):
        answer = await change(client, "setHotfix", {**one, "hotfix": hotfix})
        assert (answer["__typename"], answer["field"]) == ("ValidationError", "hotfix"), answer
        assert sentence in answer["message"]
    # one that does not take it keeps all of them
    mixed = {"files": {"addresses": [*one["files"]["addresses"], *at(wheel[0], type="pypi")["files"]["addresses"]]}, "hotfix": {"license": "BSD"}}
    assert await refused(client, "setHotfix", mixed) == ("ValidationError", "Files of the type pypi take no hotfixes.")
    missing = {**at(f"noarch/{OLD[0]}", "noarch/none-1-0.conda"), "hotfix": {"license": "BSD"}}
    assert (await refused(client, "setHotfix", missing))[0] == "NotFoundError"
    # who writes to the package does not administer the channel
    kind, message = await refused(bob.client, "setHotfix", {**one, "hotfix": {"license": "BSD"}})
    assert (kind, "for the administrators of the namespace alice" in message) == ("PermissionDeniedError", True)
    assert (await refused(bob.client, "removeHotfix", one))[0] == "PermissionDeniedError"
    async with await owner.scoped("conda", "api:read") as uploader:
        assert await stopped(uploader, "setHotfix", {**one, "hotfix": {"license": "BSD"}}) == "PERMISSION_DENIED"
    assert await records(anyone) == before
    assert await depot.rows() == rows
    assert await events("hotfix.set") == []
    assert {row["state"] for row in await fetch("SELECT state FROM file")} == {"{}"}


async def test_hotfixes_of_several_packages_at_once_and_uploads_beside_them_lose_nothing(depot: House, owner: Person) -> None:
    for basename, body in (OLD, CAR):
        await owner.has(basename, body)
    both = at(f"noarch/{OLD[0]}", f"linux-64/{CAR[0]}")
    uploads = [owner.has(*build_conda("ball", f"3.{number}")) for number in range(4)]
    fixes = [done(owner.client, "setHotfix", {**both, "hotfix": {"license": f"L{number}"}}, "changed") for number in range(4)]
    await asyncio.gather(*(one for pair in zip(uploads, fixes, strict=True) for one in pair))
    ball, car = (await records(depot.anyone))[OLD[0]], (await depot.anyone.get("/conda/alice/linux-64/repodata.json")).json()
    assert ball["license"] == car["packages.conda"][CAR[0]]["license"]
    assert ball["license"] in {f"L{number}" for number in range(4)}
    assert len(await records(depot.anyone)) == 5
    assert len(await events("hotfix.set")) == 8


async def test_a_copy_in_another_namespace_starts_without_and_a_transferred_package_keeps_its_hotfix(depot: House, owner: Person) -> None:
    await owner.has(*OLD)
    await depot.person("bob")
    await done(owner.client, "createOrganization", {"name": "acme"})
    await done(owner.client, "setHotfix", {**at(f"noarch/{OLD[0]}"), "hotfix": {"license": "BSD"}})
    await done(owner.client, "copyFiles", {**at(f"noarch/{OLD[0]}"), "namespace": "acme"})
    anyone, wanted = depot.anyone, {"alice": "BSD", "acme": "MIT"}
    await done(
        owner.client, "addLabel", {"files": {"addresses": [{"namespace": "acme", "type": "conda", "path": f"noarch/{OLD[0]}"}]}, "label": "main"}
    )
    for namespace, license in wanted.items():
        document = (await anyone.get(f"/conda/{namespace}/noarch/repodata.json")).json()
        assert document["packages.conda"][OLD[0]]["license"] == license
    await done(owner.client, "createOrganization", {"name": "other"})
    package = (await look(owner.client, '{ package(namespace: "alice", name: "ball") { id } }'))["package"]
    await done(owner.client, "transferPackage", {"packageId": package["id"], "namespace": "other"})
    assert (await anyone.get("/conda/other/noarch/repodata.json")).json()["packages.conda"][OLD[0]]["license"] == "BSD"
