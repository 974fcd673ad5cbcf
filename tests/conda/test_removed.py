"""`removed`: what the channel without a label says of files that no label offers any more, and of which the bytes are there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import orjson
from changes import done, package_of
from conda_builder import build_conda
from entrepot.services.collection import collect
from house import House, Person
from mover import inflated, organization, sound
from msgpack import unpackb

OLD, NEW, TWIN = build_conda("ball", "1.0"), build_conda("ball", "2.0"), build_conda("ball", "1.0", ext=".tar.bz2")
DRAFT = build_conda("kite", "0.1", subdir="linux-64")
SECRET = build_conda("mask", "1.0")


def at(*names: str, subdir: str = "noarch") -> dict[str, Any]:
    return {"files": {"addresses": [{"namespace": "alice", "type": "conda", "path": f"{subdir}/{name}"} for name in names]}}


async def removed(client: httpx.AsyncClient, subdir: str = "noarch", label: str = "main", namespace: str = "alice") -> list[str] | None:
    """What the documents in JSON and the shards call removed, which must be the same; None where there is no such channel."""
    base = f"/conda/{namespace}" + ("" if label == "main" else f"/label/{label}") + f"/{subdir}"
    plain = await client.get(f"{base}/repodata.json")
    index = await client.get(f"{base}/repodata_shards.msgpack.zst")
    if plain.status_code == 404:
        assert index.status_code == 404
        return None
    document = plain.json()
    for name in ("repodata.json.zst", "repodata_from_packages.json"):
        body = (await client.get(f"{base}/{name}")).content
        assert orjson.loads(inflated(body) if name.endswith("zst") else body)["removed"] == document["removed"]
    offered = {**document["packages"], **document["packages.conda"]}.keys()
    sharded: list[str] = []
    for digest in unpackb(inflated(index.content))["shards"].values():
        shard = unpackb(inflated((await client.get(f"{base}/shards/{digest.hex()}.msgpack.zst")).content))
        sharded += shard["removed"]
    assert sorted(sharded) == sorted(document["removed"])
    for name in document["removed"]:
        assert name not in offered
        assert (await client.get(f"{base}/{name}")).status_code == 200
    return sorted(document["removed"])


async def test_a_file_is_called_removed_from_when_its_last_label_goes_until_it_has_one_again(depot: House, owner: Person) -> None:
    anyone, client = depot.anyone, owner.client
    for basename, body in (OLD, NEW, TWIN):
        await owner.has(basename, body, labels=["main", "dev"])
    await owner.has(*DRAFT, labels=["dev"])
    assert await removed(anyone) == []
    assert await removed(anyone, "linux-64") is None

    await done(client, "removeLabel", {**at(OLD[0], TWIN[0]), "label": "main"})
    assert await removed(anyone) == []
    await done(client, "removeLabel", {**at(OLD[0], TWIN[0]), "label": "dev"})
    assert await removed(anyone) == sorted([OLD[0], TWIN[0]])
    assert await removed(anyone, label="dev") == []
    await done(client, "removeLabel", {**at(DRAFT[0], subdir="linux-64"), "label": "dev"})
    assert await removed(anyone, "linux-64") == [DRAFT[0]]

    await done(client, "addLabel", {**at(OLD[0]), "label": "old"})
    assert await removed(anyone) == [TWIN[0]]
    await done(client, "addLabel", {**at(TWIN[0]), "label": "main"})
    assert await removed(anyone) == []
    assert await sound(depot)


async def test_a_file_that_is_removed_from_the_server_is_in_no_list(depot: House, owner: Person) -> None:
    await owner.has(*OLD)
    await owner.has(*NEW)
    await done(owner.client, "removeLabel", {**at(OLD[0], NEW[0]), "label": "main"})
    assert await removed(depot.anyone) == sorted([OLD[0], NEW[0]])
    await done(owner.client, "removeFiles", at(OLD[0]))
    assert await removed(depot.anyone) == [NEW[0]]
    assert (await depot.anyone.get(f"/conda/alice/noarch/{OLD[0]}")).status_code == 404
    package = await package_of(owner.client, "ball")
    await done(owner.client, "deletePackage", {"packageId": package["id"], "confirmation": "alice/ball"})
    assert await removed(depot.anyone) == []


async def test_labels_as_a_whole_move_files_in_and_out(depot: House, owner: Person) -> None:
    await owner.has(*OLD, labels=["dev"])
    await owner.has(*NEW, labels=["dev", "main"])
    assert await removed(depot.anyone) == []
    await done(owner.client, "moveLabel", {"namespace": "alice", "from": "dev", "to": "next"})
    assert await removed(depot.anyone) == []
    await done(owner.client, "deleteLabel", {"namespace": "alice", "label": "next"})
    assert await removed(depot.anyone) == [OLD[0]]
    await done(owner.client, "moveLabel", {"namespace": "alice", "from": "main", "to": "next"})
    assert await removed(depot.anyone) == [OLD[0]]
    await done(owner.client, "deleteLabel", {"namespace": "alice", "label": "next"})
    assert await removed(depot.anyone) == sorted([OLD[0], NEW[0]])
    assert await sound(depot)


async def test_a_private_package_is_called_removed_before_those_alone_who_may_read_it(depot: House, owner: Person) -> None:
    await owner.has(*NEW)
    await owner.has(*SECRET, private="true")
    urls = [f"/conda/alice/noarch/{name}" for name in ("repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst")]
    before = [(await depot.anyone.get(url)).headers["etag"] for url in urls]
    await done(owner.client, "removeLabel", {**at(SECRET[0]), "label": "main"})
    assert await removed(depot.anyone) == []
    assert [(await depot.anyone.get(url)).headers["etag"] for url in urls] == before
    assert await removed(owner.client) == [SECRET[0]]

    package = await package_of(owner.client, "mask")
    await done(owner.client, "updatePackage", {"packageId": package["id"], "visibility": "PUBLIC"})
    assert await removed(depot.anyone) == [SECRET[0]]
    await done(owner.client, "updatePackage", {"packageId": package["id"], "visibility": "PRIVATE"})
    assert await removed(depot.anyone) == []


async def test_a_removed_file_goes_along_with_its_package_and_a_hotfix_of_it_changes_nothing_that_is_served(depot: House, owner: Person) -> None:
    await owner.has(*OLD)
    await owner.has(*NEW)
    acme = await organization("acme", owner)
    await done(owner.client, "removeLabel", {**at(OLD[0]), "label": "main"})
    before = (await depot.anyone.get("/conda/alice/noarch/repodata.json")).content
    await done(owner.client, "setHotfix", {**at(OLD[0]), "hotfix": {"depends": ["air"]}})
    assert (await depot.anyone.get("/conda/alice/noarch/repodata.json")).content == before
    package = await package_of(owner.client, "ball")
    await done(owner.client, "transferPackage", {"packageId": package["id"], "namespace": acme.name})
    assert await removed(depot.anyone) == []
    assert await removed(depot.anyone, namespace="acme") == [OLD[0]]
    assert await sound(depot)


async def test_the_shard_of_removed_files_outlives_the_collection_of_garbage(depot: House, owner: Person) -> None:
    await owner.has(*OLD)
    await done(owner.client, "removeLabel", {**at(OLD[0]), "label": "main"})
    assert await removed(depot.anyone) == [OLD[0]]
    report = await collect(depot.site.storage, older_than=timedelta(seconds=-1))
    assert report.failures == []
    assert await removed(depot.anyone) == [OLD[0]]
