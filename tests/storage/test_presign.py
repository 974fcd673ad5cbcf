"""Signed links: Amazon's own example, and what a server makes of ours."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from entrepot.settings import Settings
from entrepot.storage import open_storage
from entrepot.storage.objects import ObjectStorage
from entrepot.storage.presign import Presigner
from object_store import SECRET, shared_store

BODY = b"0123456789"
SHA256 = hashlib.sha256(BODY).hexdigest()


def test_the_example_of_amazons_manual() -> None:
    signer = Presigner(
        "https://examplebucket.s3.amazonaws.com/",
        region="us-east-1",
        key="AKIAIOSFODNN7EXAMPLE",
        secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )
    link = signer.link("test.txt", {}, seconds=86400, at=1369353600)
    assert link == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_temporary_key_is_signed_with_its_token() -> None:
    signer = Presigner("https://s3.example.org/bucket/", region="eu-west-1", key="key", secret="hidden", token="a+b/c=")
    query = parse_qs(urlsplit(signer.link("x", {}, seconds=60)).query)
    assert query["X-Amz-Security-Token"] == ["a+b/c="]
    assert "hidden" not in repr(vars(signer))


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    storage = open_storage(Settings(data=tmp_path, **shared_store().place()))
    assert isinstance(storage, ObjectStorage)
    storage.put_bytes(SHA256, BODY)
    return storage


@pytest.fixture
async def anybody() -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.parametrize("basename", ["foo-1.0-0.conda", "a b.whl", 'a";b&c=d.whl', "ü+%2F.zip", "x" * 255])
async def test_the_store_answers_with_the_headers_that_the_link_names(storage: ObjectStorage, anybody: httpx.AsyncClient, basename: str) -> None:
    link = await storage.link(SHA256, basename=basename, media_type="application/octet-stream", cache_control="private, max-age=31536000, immutable")
    response = await anybody.get(link)
    assert (response.status_code, response.content) == (200, BODY)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    value = response.headers["content-disposition"]
    assert value.startswith("attachment; filename*=UTF-8''")
    assert str(httpx.URL(f"http://x/{value.removeprefix(chr(39) * 2)}").path).endswith(basename)
    part = await anybody.get(link, headers={"range": "bytes=3-5"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"345", "bytes 3-5/10")


async def test_a_link_lives_a_minute_and_opens_nothing_else(storage: ObjectStorage, anybody: httpx.AsyncClient) -> None:
    link = await storage.link(SHA256, basename="a", media_type="application/octet-stream", cache_control="private")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["60"]
    assert SECRET not in link
    other = SHA256[:-1] + secrets.choice("".join(set("0123456789abcdef") - {SHA256[-1]}))
    changes = [
        link.replace(SHA256, other),
        link.replace("octet-stream", "html"),
        link.replace("attachment", "inline"),
        link.replace("Expires=60", "Expires=600"),
        link.partition("?")[0],
    ]
    assert all(change != link for change in changes)
    assert [(await anybody.get(change)).status_code for change in changes] == [403] * 5
    assert [(await anybody.request(method, link, content=b"evil")).status_code for method in ("PUT", "DELETE")] == [403] * 2


def test_a_blob_that_somebody_reaches_by_himself_is_an_attachment_all_the_same(storage: ObjectStorage) -> None:
    prefix = storage.where(SHA256).split("/", 3)[3].partition("/")[0]
    attributes = shared_store().client(prefix).get(f"sha256/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}").attributes
    assert attributes == {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
