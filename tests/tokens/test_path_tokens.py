"""`/t/<token>/` in front of every address of every type, right behind the type, and behind its own host: it reads documents and files, nothing else.

The addresses are those of the permission matrix, which fails where a type can be asked for something that is not among them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from entrepot.http.front import Front
from entrepot.registry import Registry
from entrepot.services.tokens import revoke_token, token_named
from house import House, Person, open_house
from mover import inflated
from msgpack import unpackb
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from tests.permission.operations import ADDRESSES, NAME, STOCK, Address

SITE = "https://packages.example"
FORMS = {
    "in front": SITE + "/t/{token}/{type}/alice/{rest}",
    "behind the type": SITE + "/{type}/t/{token}/alice/{rest}",
    "behind the host": "https://{type}.packages.example/t/{token}/alice/{rest}",
}


@pytest.fixture
async def yard(house_data: Path) -> AsyncIterator[House]:
    """A site with a name of its own, and a private file of each type."""
    async with open_house(house_data, Registry.built_in(), public_url=SITE) as house:
        alice = await house.person("alice")
        for type, (basename, body) in STOCK.items():
            await alice.has(basename, body, package=NAME, version="1.0", type=type, private="true", labels=["main", "rare"])
        yield house


@pytest.fixture
def alice(yard: House) -> Person:
    return yard.people["alice"]


async def spelled(alice: Person, address: Address) -> str:
    """What follows the namespace, with the digest of today's shard."""
    if "{shard}" not in address.rest:
        return address.rest
    index = await alice.client.get("/conda/alice/noarch/repodata_shards.msgpack.zst")
    return address.rest.replace("{shard}", unpackb(inflated(index.content))["shards"][NAME].hex())


async def places(alice: Person, token: str, form: str) -> list[tuple[Address, str, str]]:
    """Each address with a token in it, with and without a label, and the same without the token."""
    found = []
    for address in ADDRESSES:
        rest = await spelled(alice, address)
        for some in (rest, f"label/rare/{rest}") if "shards/" not in rest else (rest,):
            url = FORMS[form].format(token=token, type=address.type, rest=some)
            found.append((address, url, f"{SITE}/{address.type}/alice/{some}"))
    return found


def keeps_quiet(response: httpx.Response, token: str) -> None:
    """Neither the answer nor where it leads says the token, and what is followed from it is not told where it was."""
    assert response.headers["referrer-policy"] == "no-referrer", response.url
    assert token not in str(sorted(response.headers.items())), response.url
    assert token.encode() not in response.content, response.url


def with_relative_urls(content: bytes, address: Address) -> bytes:
    """PyPI's older documents: their URLs are absolute for who sends a header, and would lose a token that stands in the path."""
    return content.replace(f"{SITE}/pypi/alice/files/".encode(), b"../" * address.rest.count("/") + b"files/")


@pytest.mark.parametrize("form", FORMS)
async def test_it_reads_every_document_and_file_as_a_header_does(yard: House, alice: Person, form: str) -> None:
    token = await alice.new_token("repos")
    for address, url, plain in await places(alice, token, form):
        headers = {"accept": address.accept}
        there = await alice.client.get(plain, headers=headers)
        assert there.status_code in (200, 302), plain
        expected = with_relative_urls(there.content, address)
        for method in ("GET", "HEAD"):
            response = await yard.anyone.request(method, url, headers=headers)
            assert response.status_code == there.status_code, (method, url)
            assert (response.headers.get("etag") == there.headers.get("etag")) is (expected == there.content), url
            assert response.headers.get("location") == there.headers.get("location")
            assert response.headers["cache-control"].startswith("private"), url
            assert response.content == (expected if method == "GET" else b"")
            keeps_quiet(response, token)
        if "etag" in there.headers:
            same = await yard.anyone.get(url, headers={**headers, "if-none-match": response.headers["etag"]})
            assert same.status_code == 304
            assert same.headers["referrer-policy"] == "no-referrer"
        assert (await yard.anyone.get(plain, headers=headers)).content != there.content or there.status_code == 302


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrong", ["", "wrong", "ent-" + "x" * 40, "%00", "%E2%98%83", "t"])
async def test_a_wrong_one_opens_nothing_not_even_what_is_public(yard: House, alice: Person, form: str, wrong: str) -> None:
    await alice.client.post(
        "/graphql",
        json={"query": 'mutation { createPackage(input: {namespace: "alice", name: "open", visibility: PUBLIC}) { __typename } }'},
    )
    for address in ADDRESSES:
        url = httpx.URL(FORMS[form].format(token="TOKEN", type=address.type, rest=address.rest.replace("{shard}", "0" * 64)))
        raw = url.raw_path.replace(b"TOKEN", wrong.encode())
        response = await yard.anyone.get(url.copy_with(raw_path=raw), headers={"accept": address.accept})
        assert response.status_code == 401, raw
        assert NAME.encode() not in response.content


@pytest.mark.parametrize("form", FORMS)
async def test_a_redirect_keeps_it_without_saying_it(yard: House, alice: Person, form: str) -> None:
    token = await alice.new_token("repos")
    for type in STOCK:
        for rest in ("", "label/rare/", "label/rare", "simple", "simple/Thing"):
            client = yard.client(Accept="*/*")
            url = FORMS[form].format(token=token, type=type, rest=rest)
            for start in {url, url.rstrip("/")}:
                response = await client.get(start)
                steps = 0
                while response.has_redirect_location:
                    keeps_quiet(response, token)
                    assert not response.headers["location"].startswith(("/", "http"))
                    response = await client.get(response.url.join(response.headers["location"]))
                    steps += 1
                assert token in str(response.url)
                assert response.status_code in ((200,) if steps else (404, 200)), start
                keeps_quiet(response, token)


async def test_links_on_pages_keep_it(yard: House, alice: Person) -> None:
    """Relative ones: an installer that follows them sends it along, and no page holds it."""
    token = await alice.new_token("pypi:download")
    for form in FORMS:
        page = await yard.anyone.get(FORMS[form].format(token=token, type="pypi", rest="simple/thing/"), headers={"accept": "text/html"})
        [link] = re.findall(r'href="([^"#]+)', page.text)
        followed = page.url.join(link)
        assert token in str(followed)
        assert (await yard.anyone.get(followed)).content == STOCK["pypi"][1]


def routes(given: Iterable[BaseRoute], prefix: str = "") -> Iterator[str]:
    """The paths of all routes."""
    for route in given:
        if isinstance(route, Mount):
            yield from routes(route.routes, prefix + route.path)
        else:
            assert isinstance(route, Route)
            yield prefix + route.path


async def test_it_opens_no_route_of_the_site(yard: House, alice: Person) -> None:
    """None of the route table: no upload, no API, no page, no metrics, whatever the method."""
    assert isinstance(yard.app, Front)
    behind = yard.app._app
    assert isinstance(behind, Starlette)
    before = await yard.left()
    known = list(routes(behind.routes))
    assert "/graphql" in known
    for path in [*known, "/", "/alice", "/alice/thing", "/t/x/"]:
        rest = re.sub(r"\{[^}]*\}", "alice", path)
        first, _, second = rest.lstrip("/").partition("/")
        for url in (f"/t/{alice.token}{rest}", f"/{first}/t/{alice.token}/{second}", f"/t/{alice.token}/t/{alice.token}{rest}"):
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                response = await yard.anyone.request(method, url, content=b"{}" if method in ("POST", "PUT") else None)
                assert response.status_code in (401, 404, 405), (method, url, response.text)
                assert "alice" not in response.text, (method, url)
                assert alice.token not in response.text + str(response.headers)
    query = await yard.anyone.get(f"/t/{alice.token}/graphql", params={"query": "{ viewer { name } }"})
    assert query.status_code == 404
    assert await yard.left() == before


@pytest.mark.parametrize("form", FORMS)
async def test_it_does_nothing_but_read(yard: House, alice: Person, form: str) -> None:
    urls = [url for _, url, _ in await places(alice, alice.token, form)]
    before = await yard.left()
    for url in urls:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "MKCOL"):
            response = await yard.anyone.request(method, url, content=b"x")
            assert response.status_code in (404, 405), (method, url)
            assert alice.token not in response.text
    assert await yard.left() == before


@pytest.mark.parametrize("form", FORMS)
async def test_a_revoked_one_opens_nothing_from_then_on(yard: House, alice: Person, form: str) -> None:
    token = await alice.new_token("repos")
    some = [(address, url) for address, url, _ in await places(alice, token, form)]
    statuses = await asyncio.gather(*(yard.anyone.get(url, headers={"accept": address.accept}) for address, url in some))
    assert {one.status_code for one in statuses} <= {200, 302}
    await revoke_token(token=(await token_named(owner="alice", name="another")).id, actor=alice.actor)
    for address, url in some:
        assert (await yard.anyone.get(url, headers={"accept": address.accept})).status_code == 401, url
