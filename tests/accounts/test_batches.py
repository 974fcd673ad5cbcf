"""One operation tries one password, however it is written."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from changes import ask
from entrepot.db.sql import fetch
from house import House, Person

from .conftest import PASSWORD, Visitor

ONE = 'login(input: {name: "alice", password: "%s"}) { __typename }'
TWICE = {
    "aliases": "mutation {" + " ".join(f"a{number}: {ONE % number}" for number in range(2)) + "}",
    "fifty aliases": "mutation {" + " ".join(f"a{number}: {ONE % number}" for number in range(50)) + "}",
    "the same field twice": "mutation {" + (ONE % "x") * 2 + "}",
    "an inline fragment": f"mutation {{ a: {ONE % 1} ... {{ b: {ONE % 2} }} }}",
    "fragments": f"mutation {{ ...A ...B }} fragment A on Mutation {{ a: {ONE % 1} }} fragment B on Mutation {{ b: {ONE % 2} }}",
    "a fragment within a fragment": f"mutation {{ ...A }} fragment A on Mutation {{ a: {ONE % 1} ...B }} fragment B on Mutation {{ b: {ONE % 2} }}",
    "one fragment twice": f"mutation {{ ...A ... on Mutation {{ ...A }} }} fragment A on Mutation {{ a: {ONE % 1} }}",
    "a skipped one": f"mutation {{ a: {ONE % 1} b: {(ONE % 2).replace(') {', ') @skip(if: true) {')} }}",
    "with a registration": f'mutation {{ a: {ONE % 1} register(input: {{name: "x", password: "12345678"}}) {{ __typename }} }}',
    "with a change": f'mutation {{ a: {ONE % 1} changePassword(input: {{oldPassword: "x", newPassword: "12345678"}}) {{ __typename }} }}',
}


@pytest.mark.parametrize("query", TWICE.values(), ids=TWICE)
async def test_an_operation_logs_in_once(alice: Person, anna: Visitor, hashes: list[str], query: str) -> None:
    for client in (anna.client, alice.client):
        answer = await ask(client, query)
        assert answer["data"] is None
        [error] = answer["errors"]
        assert error["message"] == "An operation may log in, register or change a password once, and no more."
        assert error["extensions"]["code"] == "BAD_REQUEST"
    assert hashes == []
    assert await fetch("SELECT key FROM login_failure") == []


@pytest.mark.parametrize("count", [0, 1, 2, 100])
async def test_a_request_is_one_operation(house: House, anna: Visitor, hashes: list[str], count: int) -> None:
    batch = [{"query": "mutation {" + ONE % number + "}"} for number in range(count)]
    answer = await anna.client.post("/graphql", json=batch)
    assert answer.status_code == 400
    assert "One query at a time" in answer.text
    assert hashes == []


async def test_of_several_operations_in_a_document_one_runs(anna: Visitor, hashes: list[str]) -> None:
    query = f"mutation A {{ {ONE % 'wrong'} }} mutation B {{ {ONE % PASSWORD} }}"
    answer = await anna.client.post("/graphql", json={"query": query})
    assert "several operations" in answer.text
    answer = await anna.client.post("/graphql", json={"query": query, "operationName": "B"})
    assert answer.json() == {"data": {"login": {"__typename": "LoginPayload"}}}
    assert hashes == ["verify"]


async def test_nobody_logs_in_by_a_link(anna: Visitor, hashes: list[str]) -> None:
    answer = await anna.client.get("/graphql", params={"query": "mutation {" + ONE % PASSWORD + "}"})
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers
    assert hashes == []


async def test_nobody_smuggles_another_change_along_with_a_login(house: House, bob: Person, anna: Visitor) -> None:
    """What the whole operation may do is judged by who sends it, before anybody is logged in."""
    query = f'mutation {{ {ONE % PASSWORD} createToken(input: {{name: "x", scopes: ["all"]}}) {{ __typename }} }}'
    for client, code in ((anna.client, "UNAUTHENTICATED"), (await bob.scoped("api:read"), "PERMISSION_DENIED")):
        answer = await ask(client, query)
        assert answer["data"] is None
        assert answer["errors"][0]["extensions"]["code"] == code
    assert await fetch("SELECT id FROM session") == []


async def test_whoever_may_change_things_goes_on_as_who_they_have_become(house: House, bob: Person, anna: Visitor) -> None:
    query = f'mutation {{ {ONE % PASSWORD} createToken(input: {{name: "mine", scopes: ["all"]}}) {{ __typename }} }}'
    answer: dict[str, Any] = await ask(bob.client, query)
    assert answer["data"]["createToken"] == {"__typename": "CreateTokenPayload"}
    [row] = await fetch("SELECT namespace.name FROM token JOIN namespace ON namespace.id = token.namespace_id WHERE token.name = 'mine'")
    assert row["name"] == "alice"


async def test_what_is_asked_of_the_login_is_asked_as_the_viewer(house: House, alice: Person, anna: Visitor) -> None:
    wanted = "... on LoginPayload { viewer { name viewerPermission sessions { current } tokens { totalCount } } }"
    answer = await ask(anna.client, f'mutation {{ login(input: {{name: "alice", password: "{PASSWORD}"}}) {{ {wanted} }} }}')
    viewer = answer["data"]["login"]["viewer"]
    assert viewer == {"name": "alice", "viewerPermission": "ADMIN", "sessions": [{"current": True}], "tokens": {"totalCount": 1}}


async def test_a_login_with_a_token_that_is_wrong_is_refused_before_it(house: House, hashes: list[str]) -> None:
    client: httpx.AsyncClient = house.client(Authorization="Bearer wrong")
    answer = await client.post("/graphql", json={"query": "mutation {" + ONE % PASSWORD + "}"})
    assert answer.status_code == 401
    assert hashes == []
