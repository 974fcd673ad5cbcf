"""What installers see of a change through the API: at once, in every index of the built-in types."""

from __future__ import annotations

import json

import httpx
import pytest
from changes import done, look, package_of
from conda_builder import build_conda
from house import House, Person
from pypi_builder import build_wheel

SIMPLE = {"accept": "application/vnd.pypi.simple.v1+json"}


@pytest.fixture
async def owner(depot: House) -> Person:
    """Alice, with a conda package and a wheel of one name, in two versions each, and another of each beside them."""
    alice = depot.people["alice"]
    for version in ("1.0", "2.0"):
        await alice.has(*build_conda("ball", version, subdir="linux-64"))
        await alice.has(*build_wheel("ball", version))
    await alice.has(*build_conda("car", "1.0", subdir="linux-64"))
    await alice.has(*build_wheel("car", "1.0"))
    return alice


async def conda(house: House, label: str = "main") -> list[str]:
    """The packages of a channel's repodata, which the sharded index must agree with."""
    base = f"/conda/alice/label/{label}/linux-64"
    repodata = await house.anyone.get(f"{base}/repodata.json")
    if repodata.status_code == 404:
        return []
    found = json.loads(repodata.content)["packages.conda"]
    shards = await house.anyone.get(f"{base}/repodata_shards.msgpack.zst")
    assert shards.status_code == 200
    return sorted(record["name"] + " " + record["version"] for record in found.values())


async def pypi(house: House) -> dict[str, list[str]]:
    """The versions of each project of the simple index."""
    root = (await house.anyone.get("/pypi/alice/simple/", headers=SIMPLE)).json()
    pages = {one["name"]: await house.anyone.get(f"/pypi/alice/simple/{one['name']}/", headers=SIMPLE) for one in root["projects"]}
    return {name: sorted(file["filename"].split("-")[1] for file in page.json()["files"]) for name, page in pages.items()}


async def test_a_package_that_is_made_private_leaves_every_index_and_comes_back(depot: House, owner: Person) -> None:
    ball = (await package_of(owner.client, "ball"))["id"]
    before = (await conda(depot), await pypi(depot))
    assert before == (["ball 1.0", "ball 2.0", "car 1.0"], {"ball": ["1.0", "2.0"], "car": ["1.0"]})
    etags = {path: (await depot.anyone.get(path)).headers["etag"] for path in ("/conda/alice/linux-64/repodata.json", "/pypi/alice/simple/")}
    await done(owner.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    assert (await conda(depot), await pypi(depot)) == (["car 1.0"], {"car": ["1.0"]})
    assert (await depot.anyone.get("/pypi/alice/simple/ball/", headers=SIMPLE)).status_code == 404
    for path, etag in etags.items():
        assert (await depot.anyone.get(path, headers={"if-none-match": etag})).status_code == 200
    mine = await owner.client.get("/pypi/alice/simple/ball/", headers=SIMPLE)
    assert (mine.status_code, len(mine.json()["files"])) == (200, 2)
    await done(owner.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
    assert (await conda(depot), await pypi(depot)) == before
    for path, etag in etags.items():
        assert (await depot.anyone.get(path, headers={"if-none-match": etag})).status_code == 304


async def releases(client: httpx.AsyncClient) -> dict[tuple[str, str], str]:
    """The ids of the ball's releases by version and type: the types spell canonical versions differently."""
    query = '{ package(namespace: "alice", name: "ball") { releases { nodes { id version files { nodes { type } } } } } }'
    found = (await look(client, query))["package"]["releases"]["nodes"]
    return {(one["version"], file["type"]): one["id"] for one in found for file in one["files"]["nodes"]}


async def test_removals_and_labels_show_in_every_index_at_once(depot: House, owner: Person) -> None:
    ball = (await package_of(owner.client, "ball"))["id"]
    ids = await releases(owner.client)
    wheel = "ball-1.0-py3-none-any.whl"
    await done(owner.client, "removeFiles", {"files": {"addresses": [{"namespace": "alice", "type": "pypi", "path": wheel}]}})
    assert await pypi(depot) == {"ball": ["2.0"], "car": ["1.0"]}
    assert await conda(depot) == ["ball 1.0", "ball 2.0", "car 1.0"]
    await done(owner.client, "addLabel", {"files": {"releaseId": ids["1.0", "conda"]}, "label": "old"})
    await done(owner.client, "removeLabel", {"files": {"releaseId": ids["1.0", "conda"]}, "label": "main"})
    assert (await conda(depot), await conda(depot, "old")) == (["ball 2.0", "car 1.0"], ["ball 1.0"])
    for type in ("conda", "pypi"):
        await done(owner.client, "removeRelease", {"releaseId": ids["2.0", type]})
    assert (await conda(depot), await pypi(depot)) == (["car 1.0"], {"car": ["1.0"]})
    assert await conda(depot, "old") == ["ball 1.0"]
    await done(owner.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"})
    assert await conda(depot, "old") == []
    assert (await depot.anyone.get("/pypi/alice/simple/ball/", headers=SIMPLE)).status_code == 404
