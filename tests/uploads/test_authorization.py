"""Who may upload: everybody else is refused before a byte of the body is asked for, and leaves nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from entrepot.clock import now
from entrepot.db.sql import execute
from house import House, Person, sentence
from toy import build_toy


async def test_no_token_is_401_with_a_challenge(house: House, alice: Person) -> None:
    response = await house.anyone.put("/upload/alice/ball.toy", content=build_toy("ball"))
    assert "entrepot token create" in sentence(response, 401)
    assert response.headers["www-authenticate"] == 'Basic realm="Entrepot", charset="UTF-8"'
    assert house.answered_unasked
    assert await house.left() == {}


@pytest.mark.parametrize("namespace", ["alice", "nobody"])
async def test_without_a_token_no_namespace_can_be_told_from_another(house: House, alice: Person, namespace: str) -> None:
    response = await house.anyone.put(f"/upload/{namespace}/ball.toy", content=b"x")
    assert sentence(response, 401) == "This needs a token. Make one with `entrepot token create` and send it as `Authorization: Bearer TOKEN`."


@pytest.mark.parametrize("credential", ["Bearer ent-wrong", "token ent-wrong", "Basic X190b2tlbl9fOndyb25n", "Bearer", "Digest x", "Basic ???"])
async def test_a_wrong_token_is_401(house: House, alice: Person, credential: str) -> None:
    response = await house.client(Authorization=credential).put("/upload/alice/ball.toy", content=build_toy("ball"))
    assert "wrong" not in sentence(response, 401)
    assert house.answered_unasked
    assert await house.left() == {}


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE token SET expires_at = $1",
        "UPDATE token SET revoked_at = $1",
        "UPDATE \"user\" SET disabled_at = $1 WHERE namespace_id = (SELECT id FROM namespace WHERE name = 'alice')",
    ],
    ids=["expired", "revoked", "disabled"],
)
async def test_a_token_that_is_no_more_is_401(house: House, alice: Person, end: str) -> None:
    await alice.has("first.toy", build_toy("first"))
    before = await house.left()
    await execute(end, now() - 1)
    response = await alice.client.put("/upload/alice/ball.toy", content=build_toy("ball"))
    assert alice.token not in sentence(response, 401)
    assert house.answered_unasked
    assert await house.left() == before


async def test_a_token_ends_with_its_lifetime(house: House, alice: Person) -> None:
    client = await alice.scoped("all", expires_in=timedelta(milliseconds=1))
    while True:
        response = await client.put("/upload/alice/ball.toy", content=b"not a toy")
        if response.status_code != 422:  # it has lived for less than a millisecond
            break
    assert "expired" in sentence(response, 401)


async def test_anothers_namespace_is_403(house: House, alice: Person, bob: Person) -> None:
    response = await bob.client.put("/upload/alice/ball.toy", content=build_toy("ball"))
    assert sentence(response, 403) == "bob may not write to the namespace alice. Ask its owner for access, or upload to bob."
    assert house.answered_unasked
    assert await house.left() == {}


async def test_an_unknown_namespace_is_404(house: House, alice: Person) -> None:
    response = await alice.client.put("/upload/nobody/ball.toy", content=build_toy("ball"))
    assert "Uploads go to your own: alice." in sentence(response, 404)
    assert house.answered_unasked
    assert await house.left() == {}


async def test_an_administrator_may_upload_to_everybody(house: House, alice: Person) -> None:
    root = await house.person("root", admin=True)
    assert (await root.has("ball.toy", build_toy("ball"), to="alice"))["namespace"] == "alice"


@pytest.mark.parametrize("scopes", [("all",), ("repos",), ("toy",), ("toy:upload",), ("api",), ("api:write",), ("toy:download", "api:write")])
async def test_a_scope_that_covers_uploads_is_enough(house: House, alice: Person, scopes: tuple[str, ...]) -> None:
    client = await alice.scoped(*scopes)
    assert (await client.put("/upload/alice/ball.toy", content=build_toy("ball"))).status_code == 201


@pytest.mark.parametrize("scopes", [("toy:download",), ("api:read",), ("toy:download", "api:read")])
async def test_a_scope_that_does_not_cover_uploads_is_403(house: House, alice: Person, scopes: tuple[str, ...]) -> None:
    client = await alice.scoped(*scopes)
    response = await client.put("/upload/alice/ball.toy", content=build_toy("ball"))
    assert "toy:upload" in sentence(response, 403)
    assert house.answered_unasked
    assert await house.left() == {}


async def test_scopes_never_widen(house: House, alice: Person, bob: Person) -> None:
    client = await bob.scoped("all", "toy", "api:write")
    sentence(await client.put("/upload/alice/ball.toy", content=b"x"), 403)


async def test_a_namespace_is_found_in_whatever_case(house: House, alice: Person) -> None:
    response = await alice.client.put("/upload/ALICE/ball.toy", content=build_toy("ball"))
    assert response.status_code == 201
    assert response.json()["namespace"] == "alice"
