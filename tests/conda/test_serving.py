"""A channel's documents over HTTP: validators, encodings and caching, and that every worker serves the same bytes whatever it has seen."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest
import zstandard
from changes import done
from conda_builder import build_conda
from entrepot.services.indexes import Indexes, Place
from entrepot_conda.documents import renderings
from entrepot_conda.packagetype import CondaType
from house import House, Person

DOCUMENTS = [*(f"noarch/{name}" for name in renderings), "channeldata.json"]
COMPRESSIBLE = [name for name in DOCUMENTS if name.endswith(".json")]
NOBODY_SERVES = ["noarch/current_repodata.json", "noarch/current_repodata.json.zst", "noarch/repodata.json.bz2", "noarch/repodata.jlap", "rss.xml"]


@pytest.fixture
async def channel(depot: House, owner: Person) -> House:
    """A depot with a few packages."""
    for number in range(12):
        await owner.has(*build_conda(f"ball{number % 4}", f"1.{number}"))
    await owner.has(*build_conda("car", "1.0", ext=".tar.bz2"), labels=["dev"])
    return depot


async def sent(client: httpx.AsyncClient, url: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """The response with its bytes as they were sent."""
    async with client.stream("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()}) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


async def test_each_form_of_each_document_has_a_strong_etag_of_its_own_and_decodes_to_the_same(channel: House, owner: Person) -> None:
    addresses = [{"namespace": "alice", "type": "conda", "path": "noarch/ball0-1.0-0.conda"}]  # so that no two documents are the same
    await done(owner.client, "setHotfix", {"files": {"addresses": addresses}, "hotfix": {"depends": ["air"]}})
    etags, bodies = set(), {}
    for name in DOCUMENTS:
        for encoding in ("identity", "gzip", "zstd") if name in COMPRESSIBLE else ("identity",):
            response, body = await sent(channel.anyone, f"/conda/alice/{name}", accept_encoding=encoding)
            assert response.status_code == 200, name
            etag = response.headers["etag"]
            assert etag.startswith('"')
            assert response.headers["cache-control"] == "no-cache"
            assert response.headers["content-length"] == str(len(body))
            etags.add(etag)
            bodies[name, encoding] = body
            again, _ = await sent(channel.anyone, f"/conda/alice/{name}", accept_encoding=encoding, if_none_match=etag)
            assert again.status_code == 304
    same = [(f"noarch/{name}.json", f"noarch/{name}.json.zst") for name in ("repodata", "run_exports")]
    assert [bodies[plain, "zstd"] for plain, _ in same] == [bodies[frame, "identity"] for _, frame in same], "spliced once for both"
    assert len(etags) == len(DOCUMENTS) + 2 * len(COMPRESSIBLE) - len(same)

    for name in DOCUMENTS:  # and encodings are for JSON alone
        _, plain = await sent(channel.anyone, f"/conda/alice/{name}", accept_encoding="identity")
        for encoding, decode in (("gzip", gzip.decompress), ("zstd", lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body))):
            response, body = await sent(channel.anyone, f"/conda/alice/{name}", accept_encoding=encoding)
            if name in COMPRESSIBLE:
                assert (response.headers["content-encoding"], response.headers["vary"], decode(body)) == (encoding, "Accept-Encoding", plain)
            else:
                assert ("content-encoding" in response.headers, body) == (False, plain)


async def test_labels_have_documents_of_their_own_and_what_nobody_serves_is_a_cheap_404(channel: House) -> None:
    dev = await channel.anyone.get("/conda/alice/label/dev/channeldata.json")
    assert list(dev.json()["packages"]) == ["car"]
    exports = await channel.anyone.get("/conda/alice/label/dev/noarch/run_exports.json")
    assert exports.json()["packages"] == {"car-1.0-0.tar.bz2": {"run_exports": {}}}
    assert (await channel.anyone.get("/conda/alice/label/none/channeldata.json")).status_code == 404

    before = channel.site.lookup.asked
    for name in NOBODY_SERVES:
        assert (await channel.anyone.get(f"/conda/alice/{name}")).status_code == 404
    assert channel.site.lookup.asked == before


async def test_every_worker_serves_the_same_bytes_whatever_it_has_seen(depot: House, owner: Person) -> None:
    """Records so long that the documents are of several runs; of packages that come, change, go and are private."""

    async def publish(name: str, version: str, **options: Any) -> None:
        long = [f"{name}-part{number} >=1" for number in range(4000)]
        await owner.has(*build_conda(name, version, depends=long), **options)

    async def everything(client: httpx.AsyncClient) -> list[bytes]:
        return [(await sent(client, f"/conda/alice/noarch/{name}", accept_encoding="identity"))[1] for name in renderings]

    for number in range(8):
        await publish(f"ball{number}", "1.0")
    await publish("mask0", "1.0", private="true")
    await everything(depot.anyone)
    await everything(owner.client)
    await publish("ball3", "2.0")
    await publish("kite", "1.0")
    await publish("mask1", "1.0", private="true")
    etags = {name: (await depot.anyone.get(f"/conda/alice/noarch/{name}")).headers["etag"] for name in renderings}
    await publish("mask0", "2.0", private="true")
    assert {name: (await depot.anyone.get(f"/conda/alice/noarch/{name}")).headers["etag"] for name in renderings} == etags

    head = await depot.site.lookup.head("alice", "conda", "main", "noarch")
    assert head is not None
    private = await depot.site.lookup.private_packages(head.namespace_id)
    place = Place("alice", depot.site.registry.types["conda"], "main", "noarch")
    for client, audience in ((depot.anyone, ()), (owner.client, private)):
        cold = Indexes(depot.site.snapshots, 64 << 20)
        fresh = [
            b"".join((await cold.document(head, place, one, audience)).pieces) for one in CondaType.document_representations if one.name in renderings
        ]
        assert sorted(fresh) == sorted(await everything(client))
        assert len(fresh[0]) > 500_000
