"""Stored files over HTTP: ranges, headers, odd names, bytes that are not there."""

from __future__ import annotations

import httpx
import pytest
from entrepot.http.contents import BrokenOff
from house import House, Person, open_files, sentence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spoiling import lose, spoil
from toy import build_toy

SMALL = build_toy("small", filling=b"0123456789")
LARGE = build_toy("large", filling=bytes(range(256)) * 5000)  # read as it is sent, in pieces of a mebibyte


@pytest.fixture
async def files(alice: Person) -> None:
    """Two files of alice's, on both sides of what is kept in memory."""
    await alice.has("small.toy", SMALL)
    await alice.has("large.toy", LARGE)


BOTH = pytest.mark.parametrize(("path", "body"), [("files/small.toy", SMALL), ("files/large.toy", LARGE), ("notes/small.toy", b"note of small")])


@pytest.mark.usefixtures("files")
@BOTH
async def test_a_file_has_every_header_that_it_needs(house: House, path: str, body: bytes) -> None:
    response = await house.anyone.get(f"/toy/alice/{path}")
    assert response.content == body
    assert response.headers["content-length"] == str(len(body))
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["access-control-allow-origin"] == "*"
    assert len(response.headers["etag"]) == 66
    head = await house.anyone.head(f"/toy/alice/{path}")
    assert (head.status_code, head.content, dict(head.headers)) == (200, b"", dict(response.headers))
    assert (await house.anyone.head(f"/toy/alice/{path}", headers={"range": "bytes=0-1"})).headers == response.headers


@pytest.mark.usefixtures("files")
@BOTH
async def test_a_file_is_not_sent_again_to_who_has_it(house: House, path: str, body: bytes) -> None:
    etag = (await house.anyone.head(f"/toy/alice/{path}")).headers["etag"]
    response = await house.anyone.get(f"/toy/alice/{path}", headers={"if-none-match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.usefixtures("files")
@BOTH
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_range_is_a_slice(house: House, path: str, body: bytes, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(body) - 1))
    last = data.draw(st.integers(first, len(body) + 10))
    size = len(body)
    for header, start, stop in [
        (f"bytes={first}-{last}", first, min(last + 1, size)),
        (f"bytes={first}-", first, size),
        (f"bytes=-{last + 1}", max(0, size - last - 1), size),
    ]:
        response = await house.anyone.get(f"/toy/alice/{path}", headers={"range": header})
        assert (response.status_code, response.content) == (206, body[start:stop])
        assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert response.headers["content-length"] == str(stop - start)


@pytest.mark.usefixtures("files")
@BOTH
async def test_a_range_that_no_byte_fills_is_416(house: House, path: str, body: bytes) -> None:
    for header in (f"bytes={len(body)}-", f"bytes={len(body)}-{len(body) + 5}", "bytes=-0", "bytes=" + "9" * 400 + "-"):
        response = await house.anyone.get(f"/toy/alice/{path}", headers={"range": header})
        assert (response.status_code, response.content) == (416, b"")
        assert response.headers["content-range"] == f"bytes */{len(body)}"
        assert response.headers["cache-control"] == "no-store"
        assert "content-disposition" not in response.headers


@pytest.mark.usefixtures("files")
@BOTH
async def test_several_ranges_and_what_is_none_get_the_whole(house: House, path: str, body: bytes) -> None:
    for header in ("bytes=0-1,3-4", "bytes=5-2", "lines=0-1", "bytes", ""):
        response = await house.anyone.get(f"/toy/alice/{path}", headers={"range": header})
        assert (response.status_code, response.content) == (200, body)


@pytest.mark.usefixtures("files")
@BOTH
async def test_if_range_lets_a_download_go_on_only_with_the_same_bytes(house: House, path: str, body: bytes) -> None:
    etag = (await house.anyone.head(f"/toy/alice/{path}")).headers["etag"]
    for tag, status in [(etag, 206), (f"W/{etag}", 200), ('"other"', 200), ("Sat, 21 Nov 2026 10:00:00 GMT", 200)]:
        response = await house.anyone.get(f"/toy/alice/{path}", headers={"range": "bytes=3-", "if-range": tag})
        assert (response.status_code, response.content) == (status, body[3:] if status == 206 else body)


@pytest.mark.parametrize(
    ("basename", "in_url"),
    [
        ("a+b!1.toy", "a+b!1.toy"),
        ("a+b!1.toy", "a%2Bb%211.toy"),
        ("a b.toy", "a%20b.toy"),
        ("a%b.toy", "a%25b.toy"),
        ("a%2Fb.toy", "a%252Fb.toy"),
        ('a";x=y.toy', "a%22%3Bx%3Dy.toy"),
        ("#?&.toy", "%23%3F%26.toy"),
        ("<script>.toy", "%3Cscript%3E.toy"),
    ],
)
async def test_a_strange_name_goes_in_and_comes_out(house: House, alice: Person, basename: str, in_url: str) -> None:
    response = await alice.client.put(f"/upload/alice/{in_url}", content=build_toy("ball"))
    assert response.json()["basename"] == basename
    served = await house.anyone.get(f"/toy/alice/files/{in_url}")
    assert served.content == build_toy("ball")
    disposition = served.headers["content-disposition"].removeprefix("attachment; filename*=UTF-8''")
    assert not set(disposition) & set('"; <>')


async def test_the_answer_to_an_upload_says_where_the_file_is(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", build_toy("ball"))
    assert set(made) == {"id", "namespace", "package", "version", "type", "path", "basename", "size", "sha256", "labels", "url"}
    assert (await house.anyone.get(made["url"])).content == build_toy("ball")


# -- bytes that are not there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
async def test_bytes_that_are_gone_are_500_told_to_the_operator_and_no_half_answer(house: House, alice: Person, body: bytes) -> None:
    made = await alice.has("ball.toy", body)
    lose(house.site, made["sha256"])
    for headers in ({}, {"range": "bytes=1-5"}):
        response = await house.anyone.get(made["url"], headers=headers)
        assert "operator" in sentence(response, 500)


async def test_the_same_upload_again_brings_lost_bytes_back(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", LARGE)
    lose(house.site, made["sha256"])
    assert (await alice.put("ball.toy", LARGE)).status_code == 200
    assert (await house.anyone.get(made["url"])).content == LARGE


async def test_small_bytes_that_were_cut_off_are_500_and_told_to_the_operator(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", SMALL)
    spoil(house.site, made["sha256"], SMALL[:5])
    assert "entrepot check" in sentence(await house.anyone.get(made["url"]), 500)


async def test_small_bytes_that_are_others_are_500_and_told_to_the_operator(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", SMALL)
    spoil(house.site, made["sha256"], b"x" * len(SMALL))
    assert "entrepot check" in sentence(await house.anyone.get(made["url"]), 500)


async def test_large_bytes_that_were_cut_off_end_in_an_error_and_not_in_a_short_file(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", LARGE)
    spoil(house.site, made["sha256"], LARGE[: 1 << 20])
    with pytest.raises(BrokenOff, match="entrepot check"):
        await httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="http://localhost").get(made["url"])


async def test_a_download_that_is_given_up_closes_its_file(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", LARGE)
    sent = []

    class Gone(Exception):
        pass

    async def send(message: object) -> None:
        sent.append(message)
        if len(sent) == 2:
            raise Gone

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    path = "/toy/alice/files/ball.toy"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
    with pytest.raises(Gone):
        await house.app(scope, receive, send)
    assert not [name for name in open_files() if made["sha256"] in name]
