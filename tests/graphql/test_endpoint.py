"""GraphQL over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from entrepot.registry import Registry
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.site import Site
from stock import Stock

QUERY = {"query": "{ viewer { name } }"}


def sentence(response: httpx.Response) -> str:
    """The only error of a refusal, which is JSON and has a code."""
    assert response.headers["content-type"] == "application/json"
    (error,) = response.json()["errors"]
    assert set(error) == {"message", "extensions"}
    return str(error["message"])


@pytest.fixture
async def token(registry: Registry) -> Callable[..., Any]:
    """A new user's token with the given scopes."""

    async def make(*scopes: str, name: str = "alice") -> str:
        await create_user(registry, name=name, password=None, admin=False)
        return await create_token(registry, owner=name, name="t", scopes=scopes or ("all",))

    return make


async def test_a_query_is_posted_as_json(client: httpx.AsyncClient, stock: Stock) -> None:
    await stock.package(await stock.namespace("alice"), "Mäuse")
    query = "query Q($n: String!) { namespace(name: $n) { packages { nodes { name } } } } query Other { viewer { name } }"
    response = await client.post("/graphql", json={"query": query, "variables": {"n": "alice"}, "operationName": "Q"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"data": {"namespace": {"packages": {"nodes": [{"name": "Mäuse"}]}}}}


async def test_a_query_may_be_in_the_url(client: httpx.AsyncClient, stock: Stock) -> None:
    await stock.namespace("alice")
    params = {"query": "query($n: String!) { namespace(name: $n) { name } }", "variables": '{"n": "alice"}'}
    response = await client.get("/graphql", params=params)
    assert response.json() == {"data": {"namespace": {"name": "alice"}}}


@pytest.mark.parametrize(
    "headers",
    [
        lambda token: {"Authorization": f"Bearer {token}"},
        lambda token: {"Authorization": f"token {token}"},
        lambda token: {"X-API-Key": token},
    ],
)
async def test_a_token_says_who_asks(client: httpx.AsyncClient, token: Callable[..., Any], headers: Callable[[str], dict[str, str]]) -> None:
    response = await client.post("/graphql", json=QUERY, headers=headers(await token()))
    assert response.json() == {"data": {"viewer": {"name": "alice"}}}


async def test_a_wrong_token_is_refused_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(b"{}")
        yield read[-1]

    headers = {"Authorization": "Bearer wrong", "Content-Type": "application/json"}
    response = await client.post("/graphql", content=body(), headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")
    assert "token is not valid" in sentence(response)
    assert "wrong" not in response.text
    assert not read


async def test_a_token_for_downloads_may_not_use_the_api(client: httpx.AsyncClient, token: Callable[..., Any]) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"Authorization": f"Bearer {await token('book:download')}"})
    assert response.status_code == 403
    assert sentence(response) == "This token's scopes do not allow reading through the API. Make a token with one of the scopes: all, api, api:read."


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "The body is not valid JSON"),
        (b"{", "The body is not valid JSON"),
        (b"\xff\xfe", "The body is not valid JSON"),
        (b"[" * 100_000, "The body is not valid JSON"),
        (b"null", "The body must be a JSON object"),
        (b"5", "The body must be a JSON object"),
        (b'"{ viewer { name } }"', "The body must be a JSON object"),
        (b'[{"query": "{ viewer { name } }"}]', "One query at a time"),
        (b"{}", "`query` is missing"),
        (b'{"query": null}', "`query` is missing"),
        (b'{"query": "  "}', "`query` is missing"),
        (b'{"query": 5}', "`query` is missing"),
        (b'{"query": "{ viewer { name } }", "variables": []}', "`variables` must be an object"),
        (b'{"query": "{ viewer { name } }", "variables": "{}"}', "`variables` must be an object"),
        (b'{"query": "{ viewer { name } }", "operationName": {}}', "`operationName` must be a string"),
        (b'{"query": "{ viewer { name } }", "operationName": "Nope"}', 'Unknown operation named "Nope"'),
        (b'{"query": "query A { viewer { name } } query B { viewer { name } }"}', "say which one to run with `operationName`"),
        (b'{"query": "fragment F on User { name }"}', "operation"),
    ],
)
async def test_a_malformed_request_is_refused_with_a_sentence(client: httpx.AsyncClient, content: bytes, part: str) -> None:
    response = await client.post("/graphql", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400)
    (error,) = response.json()["errors"]
    assert part in error["message"]
    assert response.json().get("data") is None


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain;application/json", "application/jsonp"],
)
async def test_a_body_that_a_foreign_page_could_send_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/graphql", content=json.dumps(QUERY), headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert sentence(response) == "Send the query as JSON, with `Content-Type: application/json`."


async def test_a_body_over_a_mebibyte_is_refused_early(client: httpx.AsyncClient) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b" " * (1 << 18)

    headers = {"Content-Type": "application/json"}
    streamed = await client.post("/graphql", content=body(), headers=headers)
    declared = await client.post("/graphql", content=b" " * (1 << 20) + b" ", headers=headers)
    for response in (streamed, declared):
        assert response.status_code == 413
        assert sentence(response) == "The body is over 1,048,576 bytes. Files are uploaded with PUT, not through GraphQL."
    assert sent == 5


async def test_variables_in_the_url_must_be_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "{ viewer { name } }", "variables": "{"})
    assert response.status_code == 400
    assert sentence(response).startswith("`variables` is not valid JSON")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_a_browser_finds_a_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "https://packages.example/graphql" in response.text


async def test_who_is_no_browser_and_asks_nothing_is_told_so(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"Accept": "*/*"})
    assert response.status_code == 400
    assert sentence(response).startswith("`query` is missing")


async def test_a_plugin_that_crashes_is_logged_and_not_told(
    client: httpx.AsyncClient, site: Site, stock: Stock, caplog: pytest.LogCaptureFixture
) -> None:
    file = await stock.file(await stock.package(await stock.namespace("alice"), "moby"))
    file.attributes = '{"pages": 1, "hidden": "s3cret"}'
    await file.save()
    query = {"query": "{ packages { nodes { name files { nodes { path ... on BookFile { author } } } } } }"}
    response = await client.post("/graphql", json=query)
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["message"] == "Something went wrong in the server; its log says what. Nothing is wrong with the query."
    assert error["extensions"] == {"code": "INTERNAL"}
    assert "KeyError" not in response.text
    assert "KeyError: 'author'" in caplog.text


async def test_what_a_client_did_wrong_is_not_logged(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    for query in ("{ nonsense }", "{", "{ packages(first: -1) { totalCount } }", '{ node(id: "x") { id } }'):
        assert (await client.post("/graphql", json={"query": query})).json()["errors"]
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
