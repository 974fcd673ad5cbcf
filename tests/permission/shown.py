"""What the people of a town are shown of it, everywhere, and what the oracle says of that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import product

import msgpack
import orjson
import zstandard
from oracle import Answer

from .queries import gid
from .walk import LABELS, Asker, File, Town

RECENT = 5
"""How many of the shards that were ever seen are asked for."""


async def check(town: Town, some: Iterable[Asker]) -> None:
    """Compare what some are shown, everywhere, with the oracle."""
    for asker in some:
        for namespace in town.namespaces:
            await _check_conda(town, asker, namespace)
            await _check_pypi(town, asker, namespace)
        await _check_files(town, asker)
        await _check_graphql(town, asker)


def _shown(town: Town, asker: Asker, namespace: str, type: str, label: str | None = "main") -> list[File]:
    """The files that stand in a channel, for who asks; without a label those that have none."""
    return [
        file
        for file in town.files.values()
        if file.place[0] == namespace
        and file.type == type
        and (label in file.labels if label else not file.labels)
        and town.world.reads(asker.credential, file.place, type) is Answer.SEEN
    ]


async def _body(town: Town, asker: Asker, url: str, **headers: str) -> bytes | None:
    """The body; None where there is nothing; the test fails for a dead credential that opens anything, and for any other status."""
    response = await asker.client.get(url, headers=headers)
    if town.world.dead(asker.credential):
        assert response.status_code == 401, (asker.name, url)
        return None
    assert response.status_code in (200, 404), (asker.name, url, response.text)
    return response.content if response.status_code == 200 else None


async def _check_conda(town: Town, asker: Asker, namespace: str) -> None:
    for label in LABELS:
        channel = f"/conda/{namespace}" if label == "main" else f"/conda/{namespace}/label/{label}"
        body = await _body(town, asker, f"{channel}/noarch/repodata.json")
        wanted = _shown(town, asker, namespace, "conda", label)
        withdrawn = _shown(town, asker, namespace, "conda", None) if label == "main" else []
        document = orjson.loads(body) if body else {"packages.conda": {}, "removed": []}
        assert {f"noarch/{basename}" for basename in document["packages.conda"]} == {file.path for file in wanted}, (asker.name, channel)
        assert {f"noarch/{basename}" for basename in document["removed"]} == {file.path for file in withdrawn}, (asker.name, channel)
        index = await _body(town, asker, f"{channel}/noarch/repodata_shards.msgpack.zst")
        shards: Mapping[str, bytes] = msgpack.unpackb(_unzstd(index))["shards"] if index else {}
        assert set(shards) == {file.place[1] for file in [*wanted, *withdrawn]}, (asker.name, channel)
        for name, digest in shards.items():
            [package] = [id for id, place in town.packages.items() if place == (namespace, name)]
            town.shards[f"{channel}/noarch/shards/{digest.hex()}.msgpack.zst"] = package


async def _check_pypi(town: Town, asker: Asker, namespace: str) -> None:
    wanted = _shown(town, asker, namespace, "pypi")
    root = await _body(town, asker, f"/pypi/{namespace}/simple/", accept="application/vnd.pypi.simple.v1+json")
    assert set(re.findall(rb'"name":"([^"]+)"', root or b"")) == {file.place[1].encode() for file in wanted}, (asker.name, namespace)
    for name in town.names:
        page = await _body(town, asker, f"/pypi/{namespace}/simple/{name}/", accept="application/vnd.pypi.simple.v1+json")
        found = set(re.findall(rb'"filename":"([^"]+)"', page or b""))
        assert found == {file.path.encode() for file in wanted if file.place[1] == name}, (asker.name, namespace, name)


async def _check_files(town: Town, asker: Asker) -> None:
    for url in sorted(town.ever):
        expected, there = 404, town.files.get(url)
        moved = next((file for file in town.files.values() if file.id == town.left.get(url)), None)
        if there is not None and town.world.reads(asker.credential, there.place, there.type) is Answer.SEEN:
            expected = 200
        elif there is None and moved is not None and town.world.reads(asker.credential, moved.place, moved.type) is Answer.SEEN:
            expected = 301
        response = await asker.client.get(url)
        assert response.status_code == (401 if town.world.dead(asker.credential) else expected), (asker.name, url)
        if expected == 301 and moved is not None and response.status_code == 301:
            assert str(response.url.join(response.headers["location"]).path) == moved.url
    for url, package in list(town.shards.items())[-RECENT:]:
        body = await _body(town, asker, url)
        if body is not None:  # one that is superseded may go at any time
            assert town.world.reads(asker.credential, town.packages[package], "conda") is Answer.SEEN, (asker.name, url)
            assert f"/{town.packages[package][0]}/" in url or f"/{town.packages[package][0]}/label/" in url, (asker.name, url)


async def _check_graphql(town: Town, asker: Asker) -> None:
    """One query for all of it."""
    ids = {f"p{number}": id for number, id in enumerate(town.packages)}
    files = {f"f{number}": file for number, file in enumerate(town.files.values())}
    fields = [f'search: packages(search: "{town.number}x") {{ totalCount nodes {{ name namespace {{ name }} }} }}']
    fields += [f'in{at}: namespace(name: "{name}") {{ packages {{ totalCount nodes {{ name }} }} }}' for at, name in enumerate(town.namespaces)]
    fields += [f'{alias}: node(id: "{gid("Package", id)}") {{ id }}' for alias, id in ids.items()]
    fields += [f'{alias}: node(id: "{file.id}") {{ id }}' for alias, file in files.items()]
    places = list(product(town.namespaces, town.names))
    fields += [f'n{at}: package(namespace: "{place[0]}", name: "{place[1]}") {{ files {{ totalCount }} }}' for at, place in enumerate(places)]
    response = await asker.client.post("/graphql", json={"query": f"{{ {' '.join(fields)} }}"})
    if town.world.asks(asker.credential, None) is not Answer.SEEN:
        assert response.status_code in (401, 403), (asker.name, response.text)
        return
    data = response.json()["data"]
    seen = sorted(place for place in places if town.world.asks(asker.credential, place) is Answer.SEEN)
    assert sorted((one["namespace"]["name"], one["name"]) for one in data["search"]["nodes"]) == seen, asker.name
    assert data["search"]["totalCount"] == len(seen), asker.name
    for at, name in enumerate(town.namespaces):
        here = sorted(one for namespace, one in seen if namespace == name)
        assert sorted(one["name"] for one in data[f"in{at}"]["packages"]["nodes"]) == here, asker.name
        assert data[f"in{at}"]["packages"]["totalCount"] == len(here), asker.name
    for at, place in enumerate(places):
        now = place if place in town.world.private and place in seen else town.packages.get(town.freed.get(place, ""), place)
        count = sum(file.place == now for file in town.files.values())
        assert data[f"n{at}"] == ({"files": {"totalCount": count}} if now in seen else None), (asker.name, place)
    for alias, id in ids.items():
        assert (data[alias] is not None) == (town.packages[id] in seen), (asker.name, id)
    for alias, file in files.items():
        assert (data[alias] is not None) == (file.place in seen), (asker.name, file)


def _unzstd(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(body)
