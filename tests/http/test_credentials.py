"""The ways in which a token may come with a request, what it may do, and that nobody repeats it."""

from __future__ import annotations

import asyncio
import base64
import logging

import pytest
from entrepot.db.sql import fetch_one
from entrepot.errors import Unauthenticated
from entrepot.http.authentication import _recording, credentials
from entrepot.http.request import Facts
from house import House, Person, sentence
from hypothesis import given
from hypothesis import strategies as st
from toy import build_toy, line_of


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def ways(token: str) -> list[dict[str, str]]:
    return [
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"bearer  {token} "},
        {"Authorization": f"token {token}"},
        {"Authorization": f"TOKEN {token}"},
        basic("__token__", token),
        basic("alice", token),
        basic("", token),
        basic(token, ""),
        basic(token, "x-oauth-basic"),
        {"X-API-Key": token},
    ]


WAYS = range(len(ways("")))


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_is_taken_in_each_way(house: House, alice: Person, way: int) -> None:
    client = house.client(**ways(alice.token)[way])
    response = await client.put("/upload/alice/ball.toy", params={"private": "true"}, content=build_toy("ball"))
    assert response.status_code == 201
    assert (await client.get("/toy/alice/listing")).text == line_of("ball.toy", build_toy("ball"))
    assert (await client.get("/toy/alice/files/ball.toy")).content == build_toy("ball")
    viewer = (await client.post("/graphql", json={"query": "{viewer{name}}"})).json()
    assert viewer["data"] == {"viewer": {"name": "alice"}}


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_that_is_not_valid_is_401_in_each_way_also_where_none_is_needed(house: House, alice: Person, way: int) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    client = house.client(**ways("ent-" + "x" * 40)[way])
    for url in ("/toy/alice/listing", "/toy/alice/page/ball", "/toy/alice/files/ball.toy"):
        response = await client.get(url)
        assert "entrepot token create" in sentence(response, 401)
        assert response.headers["www-authenticate"].startswith("Basic ")
        assert "xxx" not in response.text


@pytest.mark.parametrize(
    "credential",
    ["Basic", "Basic ", "Basic \xe9", "Basic ====", "Basic eA", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Basic Og==", "Negotiate x", "x"],
)
async def test_a_credential_that_is_none_is_401(house: House, credential: str) -> None:
    response = await house.anyone.get("/toy/alice/listing", headers={b"Authorization": credential.encode("latin-1")})
    sentence(response, 401)


@given(credential=st.binary(max_size=60).filter(lambda value: not set(value) & set(b"\r\n\0")))
@pytest.mark.parametrize("scheme", [b"", b"Basic ", b"Bearer ", b"token "])
def test_no_credential_breaks_the_server(scheme: bytes, credential: bytes) -> None:
    facts = Facts({"headers": [(b"authorization", scheme + credential)]})
    try:
        found = credentials(facts)
    except Unauthenticated:
        return
    assert all(isinstance(secret, str) for secret in found)
    assert found or not (scheme + credential).strip()


async def test_an_empty_authorization_is_none(house: House, alice: Person) -> None:
    assert (await house.client(Authorization="").get("/toy/alice/listing")).status_code == 200


async def test_a_download_scope_reads_private_packages_and_an_upload_scope_does_not(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"), private="true")
    for scope, status in [("toy:download", 200), ("toy", 200), ("repos", 200), ("all", 200), ("toy:upload", 404), ("api:read", 404), ("api", 404)]:
        client = await alice.scoped(scope)
        assert (await client.get("/toy/alice/files/ball.toy")).status_code == status, scope
        assert (await client.get("/toy/alice/page/ball")).status_code == status, scope
        assert bool((await client.get("/toy/alice/listing")).text) == (status == 200), scope


async def test_the_use_of_a_token_is_recorded_once_an_hour_and_never_by_more_than_one_write(house: House, alice: Person) -> None:
    await asyncio.gather(*(alice.client.get("/toy/alice/listing") for _ in range(50)))

    async def last_used() -> int | None:
        row = await fetch_one("SELECT last_used_at FROM token")
        assert row is not None
        used: int | None = row["last_used_at"]
        return used

    assert len(_recording) <= 1
    await asyncio.gather(*_recording.values())
    first = await last_used()
    assert first is not None
    await alice.client.get("/toy/alice/listing")
    assert not _recording
    assert await last_used() == first


async def test_a_token_is_in_no_log_line_no_answer_and_no_header(house: House, alice: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "entrepot")
    await alice.has("ball.toy", build_toy("ball"))
    token = alice.token
    answers = [
        await house.anyone.get(url)
        for url in (
            f"/t/{token}/toy/alice",
            f"/t/{token}/toy/alice/nothing",
            f"/t/{token}/toy/alice/files/nothing.toy",
            f"/t/{token}/toy/alice/files/ball.toy",
            f"/toy/t/{token}/alice/page/nothing",
            f"/t/{token}/graphql",
            f"/t/{token}x/toy/alice/listing",
            f"/t/{token}",
        )
    ]
    answers += [
        await house.client(**way).request(method, url, content=b"nothing")
        for way in ways(token)
        for method, url in [("PUT", "/upload/alice/x"), ("PUT", "/upload/bob/x"), ("GET", "/nothing"), ("POST", "/toy/alice/listing")]
    ]
    for answer in answers:
        assert token not in answer.text
        assert token not in str(answer.headers)
    assert token not in caplog.text
