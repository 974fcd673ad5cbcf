"""Large files whose bytes somebody else sends: the object store by a link, nginx by X-Accel-Redirect."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from entrepot.registry import Registry
from house import House, Person, open_house, sentence
from nginx import nginx
from object_store import SECRET, free_ports, shared_store
from toy import ToyPlugin, build_toy

SMALL = build_toy("small")
LARGE = build_toy("large", filling=bytes(range(256)) * 1000)
LARGE_URL = "/toy/alice/files/large.toy"


@asynccontextmanager
async def opened(data: Path, **settings: Any) -> AsyncIterator[tuple[House, Person]]:
    """A site with two files of alice's."""
    async with open_house(data, Registry.of({"toy": ToyPlugin()}), **settings) as house:
        alice = await house.person("alice")
        await alice.has("small.toy", SMALL)
        await alice.has("large.toy", LARGE)
        yield house, alice


@pytest.fixture
async def redirecting(tmp_path: Path) -> AsyncIterator[tuple[House, Person]]:
    async with opened(tmp_path / "data", **shared_store().place()) as both:
        yield both


@pytest.fixture
async def anybody() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the store's, without a key."""
    async with httpx.AsyncClient() as client:
        yield client


Site = tuple[House, Person]


# -- the object store -------------------------------------------------------------------------------------------------


async def test_a_large_file_is_a_link_to_the_store_that_answers_it_as_an_attachment(redirecting: Site, anybody: httpx.AsyncClient) -> None:
    house, _ = redirecting
    answer = await house.anyone.get(LARGE_URL)
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["location"].startswith(shared_store().endpoint)
    assert SECRET not in answer.headers["location"]
    got = await anybody.get(answer.headers["location"])
    assert (got.status_code, got.content) == (200, LARGE)
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''large.toy"
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_store_answers_ranges(redirecting: Site, anybody: httpx.AsyncClient) -> None:
    house, _ = redirecting
    for header in ("bytes=5-9", "bytes=-5", "bytes=255990-"):
        answer = await house.anyone.get(LARGE_URL, headers={"range": header})
        assert answer.status_code == 302
        got = await anybody.get(answer.headers["location"], headers={"range": header})
        start, stop = re.fullmatch(rf"bytes (\d+)-(\d+)/{len(LARGE)}", got.headers["content-range"]).groups()  # type: ignore[union-attr]
        assert (got.status_code, got.content) == (206, LARGE[int(start) : int(stop) + 1])


async def test_head_and_conditions_are_answered_here(redirecting: Site) -> None:
    house, _ = redirecting
    head = await house.anyone.head(LARGE_URL)
    assert (head.status_code, head.headers["content-length"], head.headers["accept-ranges"]) == (200, str(len(LARGE)), "bytes")
    for etag in (head.headers["etag"], f'W/{head.headers["etag"]}, "x"', "*"):
        assert (await house.anyone.get(LARGE_URL, headers={"if-none-match": etag})).status_code == 304
    assert (await house.anyone.get(LARGE_URL, headers={"if-none-match": '"x"'})).status_code == 302


async def test_small_files_and_extras_come_through_the_server_and_stay_in_memory(redirecting: Site) -> None:
    house, _ = redirecting
    for path, body in (("files/small.toy", SMALL), ("notes/large.toy", b"note of large")):
        answer = await house.anyone.get(f"/toy/alice/{path}")
        assert (answer.status_code, answer.content) == (200, body)
    for sha256, _size in list(house.site.storage.blobs()):
        house.site.storage.delete(sha256)
    for path, body in (("files/small.toy", SMALL), ("notes/large.toy", b"note of large")):
        assert (await house.anyone.get(f"/toy/alice/{path}")).content == body


async def test_a_link_is_given_to_those_alone_who_may_read(redirecting: Site) -> None:
    house, alice = redirecting
    made = await alice.has("hidden.toy", build_toy("hidden", filling=bytes(100_000)), private="true")
    sentence(await house.anyone.get("/toy/alice/files/hidden.toy"), 404)
    token = await alice.new_token("all")
    answer = await house.anyone.get(f"/t/{token}/toy/alice/files/hidden.toy")
    assert answer.status_code == 302
    assert token not in str(answer.headers)
    assert "access-control-allow-origin" not in answer.headers
    assert made["sha256"] in answer.headers["location"]
    assert "response-cache-control=private%2C%20" in answer.headers["location"]


# -- nginx ------------------------------------------------------------------------------------------------------------

FRONT = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass {server};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
    }}
    location /entrepot-files/ {{
        internal;
        alias {data}/blobs/;
        etag off;
        add_header ETag $upstream_http_etag;
        add_header Last-Modified "";
        add_header X-Content-Type-Options nosniff;
        add_header Content-Security-Policy "sandbox; default-src 'none'";
        add_header Access-Control-Allow-Origin $upstream_http_access_control_allow_origin;
    }}
}}
"""


PASSED_ON = {"X-Forwarded-For": "192.0.2.1"}
"""What a trusted proxy says."""


async def test_who_comes_past_nginx_gets_the_bytes_from_us(tmp_path: Path) -> None:
    for trusted, client in ((["127.0.0.1"], {}), ([], {"X_Forwarded_For": "192.0.2.1"})):
        async with opened(tmp_path / str(len(trusted)), accel_redirect="/entrepot-files", trusted_proxies=trusted) as (house, _):
            answer = await house.client(**client).get(LARGE_URL)
            assert answer.content == LARGE
            assert "x-accel-redirect" not in answer.headers


async def test_nginx_is_told_where_a_large_file_lies(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", accel_redirect="/entrepot-files", trusted_proxies=["127.0.0.1"]) as (house, _):
        through = house.client(X_Forwarded_For="192.0.2.1")
        answer = await through.get(LARGE_URL)
        sha256 = answer.headers["etag"].strip('"')
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["x-accel-redirect"] == f"/entrepot-files/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''large.toy"
        head = await through.head(LARGE_URL)
        assert head.headers["content-length"] == str(len(LARGE))
        assert "x-accel-redirect" not in head.headers
        assert (await through.get(LARGE_URL, headers={"if-none-match": f'"{sha256}"'})).status_code == 304
        assert (await through.get("/toy/alice/files/small.toy")).content == SMALL
        assert (await through.get("/toy/alice/notes/large.toy")).content == b"note of large"


@dataclass
class Behind:
    """A server behind nginx."""

    url: str
    body: bytes
    direct: str


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """The real thing, with one wheel that nginx sends."""
    from installed_server import serving as installed
    from pypi_builder import build_wheel

    folder = tmp_path_factory.mktemp("behind")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ENTREPOT_DATABASE_URL", "ENTREPOT_STORAGE_URL", "ENTREPOT_STORAGE_OPTIONS"):
            patch.delenv(name, raising=False)
        (folder / "entrepot.toml").write_text('accel_redirect = "/entrepot-files/"\ntrusted_proxies = ["127.0.0.1"]\n')
        port = free_ports(1)[0]
        with installed(folder, None) as server, nginx(FRONT.format(port=port, server=server.url, data=folder / "data"), port):
            assert server.entrepot("user", "create", "alice").returncode == 0
            name, body = build_wheel("behind", "1.0", files={"behind.bin": os.urandom(500_000)})
            with server.client("all") as client:
                made = client.put(f"/upload/alice/{name}", content=body)
            assert made.status_code == 201, made.text
            path = made.json()["url"].removeprefix(server.url)
            yield Behind(f"http://127.0.0.1:{port}{path}", body, server.url + path)


def test_nginx_sends_the_bytes_with_our_headers(behind: Behind) -> None:
    answer, head = httpx.get(behind.url), httpx.head(behind.url)
    assert (answer.status_code, answer.content) == (200, behind.body)
    assert "x-accel-redirect" not in answer.headers
    wanted = ("etag", "content-type", "content-length", "content-disposition", "cache-control", "x-content-type-options", "content-security-policy")
    for name in (*wanted, "accept-ranges", "access-control-allow-origin"):
        assert answer.headers.get_list(name) == head.headers.get_list(name), name
    assert httpx.get(behind.direct, headers=PASSED_ON).headers["x-accel-redirect"]


def test_nginx_answers_ranges_and_we_conditions_by_the_same_etag(behind: Behind) -> None:
    etag = httpx.head(behind.url).headers["etag"]
    assert httpx.get(behind.url, headers={"if-none-match": etag}).status_code == 304
    part = httpx.get(behind.url, headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content, part.headers["etag"]) == (206, behind.body[5:10], etag)
    for tag, status in ((etag, 206), ('"other"', 200)):
        assert httpx.get(behind.url, headers={"range": "bytes=5-9", "if-range": tag}).status_code == status


def test_nobody_reaches_the_folder_by_its_location(behind: Behind) -> None:
    direct = httpx.get(behind.direct, headers=PASSED_ON).headers["x-accel-redirect"]
    assert httpx.get(behind.url.partition("/pypi")[0] + direct).status_code == 404
