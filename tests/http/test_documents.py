"""Index documents and parts over HTTP: validators, encodings, caching, labels, and what does not exist."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import zstandard
from entrepot.registry import Registry
from entrepot.services.files import remove_file
from house import House, Person, open_house, sentence
from toy import ToyPlugin, build_toy, line_of

DOCUMENTS = ["listing", "shards", "names", "page/ball"]
MANY = 12


@pytest.fixture
async def balls(alice: Person) -> str:
    """Files enough for a document to be worth compressing; answers the listing."""
    lines = []
    for number in range(MANY):
        body = build_toy("ball", str(number))
        await alice.has(f"ball-{number:02}.toy", body)
        lines.append(line_of(f"ball-{number:02}.toy", body))
    return "".join(lines)


def decoded(response: httpx.Response, raw: bytes) -> bytes:
    match response.headers.get("content-encoding", ""):
        case "gzip":
            return gzip.decompress(raw)
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(raw)
        case "":
            return raw
    raise AssertionError(response.headers)


async def raw_get(client: httpx.AsyncClient, url: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """The response with its bytes as they were sent."""
    async with client.stream("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()}) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


@pytest.mark.usefixtures("balls")
@pytest.mark.parametrize("path", DOCUMENTS)
async def test_head_says_what_get_says(house: House, path: str) -> None:
    for headers in ({}, {"accept-encoding": "gzip"}, {"if-none-match": '"x"'}):
        get = await house.anyone.get(f"/toy/alice/{path}", headers=headers)
        head = await house.anyone.head(f"/toy/alice/{path}", headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert dict(head.headers) == dict(get.headers)


@pytest.mark.parametrize(("path", "media_type"), [("listing", "text/plain"), ("shards", "text/plain"), ("page/ball", "text/plain")])
async def test_a_document_has_every_header_that_it_needs(house: House, balls: str, path: str, media_type: str) -> None:
    response = await house.anyone.get(f"/toy/alice/{path}")
    headers = response.headers
    assert headers["content-type"] == media_type
    assert headers["content-length"] == str(len(response.content))
    assert headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["accept-ranges"] == "bytes"
    assert headers["etag"].startswith('"')
    assert headers.get("vary") == (None if path == "shards" else "Accept-Encoding")


async def test_a_shard_is_addressed_by_its_bytes_and_immutable(house: House, balls: str) -> None:
    [line] = (await house.anyone.get("/toy/alice/shards")).text.splitlines()
    name, digest = line.split()
    response = await house.anyone.get(f"/toy/alice/shard/{digest}")
    assert (name, response.text) == ("ball", balls)
    assert hashlib.sha256(response.content).hexdigest() == digest
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["etag"] == f'"{digest}"'


async def test_a_superseded_shard_stays_for_those_who_read_the_index_before(house: House, alice: Person, balls: str) -> None:
    digest = (await house.anyone.get("/toy/alice/shards")).text.split()[1]
    await alice.has("ball-99.toy", build_toy("ball", "99"))
    assert digest not in (await house.anyone.get("/toy/alice/shards")).text
    assert (await house.anyone.get(f"/toy/alice/shard/{digest}")).text == balls


@pytest.mark.parametrize("digest", ["0" * 64, "listing", "%00", "x" * 3000])
async def test_a_shard_that_was_never_named_is_404(house: House, balls: str, digest: str) -> None:
    sentence(await house.anyone.get(f"/toy/alice/shard/{digest}"), 404)


@pytest.mark.parametrize("path", ["listing", "page/ball"])
async def test_each_encoding_decodes_to_the_same_and_has_an_etag_of_its_own(house: House, balls: str, path: str) -> None:
    etags = set()
    for accept, encoding in [("identity", None), ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "zstd"), ("zstd;q=0, gzip", "gzip")]:
        response, raw = await raw_get(house.anyone, f"/toy/alice/{path}", accept_encoding=accept)
        assert response.headers.get("content-encoding") == encoding
        assert response.headers["vary"] == "Accept-Encoding"
        assert decoded(response, raw) == balls.encode()
        assert response.headers["content-length"] == str(len(raw))
        etags.add(response.headers["etag"])
        again, _ = await raw_get(house.anyone, f"/toy/alice/{path}", accept_encoding=accept, if_none_match=response.headers["etag"])
        assert again.status_code == 304
    assert len(etags) == 3


async def test_what_is_not_compressible_or_too_small_is_sent_as_it_is(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    for path in DOCUMENTS:
        response, _ = await raw_get(house.anyone, f"/toy/alice/{path}", accept_encoding="gzip, zstd")
        assert "content-encoding" not in response.headers
        again, _ = await raw_get(house.anyone, f"/toy/alice/{path}", accept_encoding="gzip, zstd")
        assert again.headers["etag"] == response.headers["etag"]


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_a_304_keeps_validators_and_says_nothing_of_a_body(house: House, balls: str, path: str) -> None:
    first = await house.anyone.get(f"/toy/alice/{path}")
    for tag in (first.headers["etag"], f"W/{first.headers['etag']}", f'"x", {first.headers["etag"]}', "*"):
        for method in ("GET", "HEAD"):
            response = await house.anyone.request(method, f"/toy/alice/{path}", headers={"if-none-match": tag, "range": "bytes=0-1"})
            assert (response.status_code, response.content) == (304, b"")
            for name in ("etag", "cache-control", "vary", "access-control-allow-origin"):
                assert response.headers.get(name) == first.headers.get(name)
            assert not {"content-type", "content-length", "content-encoding"} & set(response.headers)


async def test_several_if_none_match_headers_are_one_list(house: House, balls: str) -> None:
    etag = (await house.anyone.get("/toy/alice/listing")).headers["etag"]
    response = await house.anyone.get("/toy/alice/listing", headers=[("if-none-match", '"x"'), ("if-none-match", etag)])
    assert response.status_code == 304


async def test_a_change_that_nobody_sees_moves_no_etag(house: House, alice: Person, balls: str) -> None:
    before = {path: (await house.anyone.get(f"/toy/alice/{path}")).headers["etag"] for path in DOCUMENTS}
    await alice.has("secret.toy", build_toy("secret"), private="true")
    await alice.has("other.toy", build_toy("other"), labels=["dev"])
    assert {path: (await house.anyone.get(f"/toy/alice/{path}")).headers["etag"] for path in DOCUMENTS} == before


@pytest.mark.parametrize("path", ["listing", "page/ball"])
async def test_a_range_of_a_document_is_a_slice_of_the_bytes_that_are_sent(house: House, balls: str, path: str) -> None:
    for encoding in ("identity", "gzip"):
        _, whole = await raw_get(house.anyone, f"/toy/alice/{path}", accept_encoding=encoding)
        response, part = await raw_get(house.anyone, f"/toy/alice/{path}", accept_encoding=encoding, range="bytes=3-9")
        assert (response.status_code, part) == (206, whole[3:10])
        assert response.headers["content-range"] == f"bytes 3-9/{len(whole)}"


# -- namespaces and labels --------------------------------------------------------------------------------------------


async def test_a_new_namespace_has_its_standing_documents_and_nothing_else(house: House, alice: Person) -> None:
    for path in ("listing", "shards", "names", "label/main/listing"):
        response = await house.anyone.get(f"/toy/alice/{path}")
        assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "0")
    for path in ("page/ball", "label/dev/listing", "nothing", "files/ball.toy"):
        sentence(await house.anyone.get(f"/toy/alice/{path}"), 404)


async def test_an_empty_document_of_a_standing_kind_has_no_range(house: House, alice: Person) -> None:
    assert (await house.anyone.get("/toy/alice/listing", headers={"range": "bytes=0-"})).status_code == 416


async def test_a_label_that_was_emptied_keeps_its_documents_for_those_who_may_see_it(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"), labels=["dev"])
    await remove_file(house.site, actor=alice.actor, namespace="alice", type="toy", path="ball.toy")
    assert (await alice.client.get("/toy/alice/label/dev/listing")).text == ""
    assert (await house.anyone.get("/toy/alice/label/dev/listing")).status_code == 404  # as for a label that only private files have
    assert (await house.anyone.get("/toy/alice/label/dev/page/ball")).status_code == 404


@pytest.mark.parametrize("path", ["/toy/nobody/listing", "/toy/nobody/page/ball", "/toy/nobody/files/ball.toy", "/toy/nobody/shard/" + "0" * 64])
async def test_an_unknown_namespace_is_404(house: House, alice: Person, path: str) -> None:
    sentence(await house.anyone.get(path), 404)


@pytest.mark.parametrize("path", ["/toy/ALICE/listing", "/toy/Alice/label/MAIN/listing", "/toy/alice/label/Main/page/ball"])
async def test_namespaces_and_labels_are_found_in_whatever_case(house: House, balls: str, path: str) -> None:
    assert (await house.anyone.get(path)).text == balls


@pytest.mark.parametrize("label", ["1st", "a%2Fb", "-", "ä", "x" * 129])
async def test_what_is_no_label_is_404(house: House, balls: str, label: str) -> None:
    assert (await house.anyone.get(f"/toy/alice/label/{label}/listing")).status_code == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/toy/alice", "alice/listing"),
        ("/toy/alice/", "listing"),
        ("/toy/alice?a=1&b=%20", "alice/listing?a=1&b=%20"),
        ("/toy/alice/label/dev/", "listing"),
        ("/toy/al%0d%0aSet-Cookie:%20x=1", "al%0D%0ASet-Cookie%3A%20x%3D1/listing"),
        ("/toy/%E2%82%AC", "%E2%82%AC/listing"),
        ("/toy/https:evil.example", "https%3Aevil.example/listing"),
        ("/toy/%5Cevil.example", "%5Cevil.example/listing"),
        ("/toy/%2Fevil.example", None),
    ],
)
async def test_a_redirect_never_leaves_the_site(house: House, path: str, location: str | None) -> None:
    transport = httpx.ASGITransport(house.app)
    request = httpx.Request("GET", "http://localhost" + path)
    response = await transport.handle_async_request(request)
    assert response.headers.get("location") == location
    assert response.status_code == (301 if location else 404)


# -- the operator's choices -------------------------------------------------------------------------------------------


@pytest.fixture
async def closed_house(house_data: Path) -> AsyncIterator[House]:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), anonymous_read=False, index_max_age=60) as house:
        await (await house.person("alice")).has("ball.toy", build_toy("ball"))
        await house.person("bob")
        yield house


@pytest.mark.parametrize("path", [*DOCUMENTS, "files/ball.toy", "files/nothing.toy", "shard/" + "0" * 64])
async def test_a_closed_site_asks_everybody_for_a_token(closed_house: House, path: str) -> None:
    response = await closed_house.anyone.get(f"/toy/alice/{path}")
    assert sentence(response, 401) == "This site serves packages only with a token."
    assert response.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("path", [*DOCUMENTS, "files/ball.toy", "shard"])
async def test_a_closed_site_lets_no_shared_cache_keep_anything(closed_house: House, path: str) -> None:
    client = closed_house.people["bob"].client
    if path == "shard":
        path = f"shard/{(await client.get('/toy/alice/shards')).text.split()[1]}"
    response = await client.get(f"/toy/alice/{path}")
    assert response.status_code == 200
    assert response.headers["cache-control"].startswith("private, max-age=")
    assert "access-control-allow-origin" not in response.headers


async def test_with_a_max_age_a_document_depends_on_the_credential(house_data: Path) -> None:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), index_max_age=60) as house:
        alice = await house.person("alice")
        await alice.has("ball.toy", build_toy("ball"))
        public = await house.anyone.get("/toy/alice/listing")
        assert public.headers["cache-control"] == "public, max-age=60"
        assert public.headers["vary"] == "Accept-Encoding, Authorization, X-API-Key, Cookie"
        await alice.has("secret.toy", build_toy("secret"), private="true")
        private = await alice.client.get("/toy/alice/listing")
        assert private.headers["cache-control"] == "private, max-age=60"
        assert private.headers["vary"] == "Accept-Encoding, Authorization, X-API-Key, Cookie"
