"""Changes through the GraphQL API, over HTTP, for tests that read like a story."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from entrepot.db.sql import fetch


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    """The whole answer, as JSON."""
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    answer: dict[str, Any] = response.json()
    return answer


async def look(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    """The data; the test fails with the errors if there are any."""
    answer = await ask(client, query, **variables)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def mutation(name: str, wanted: str = "__typename") -> str:
    """The text of a mutation that takes `$input` and asks for everything that typed errors have."""
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{ result: {name}(input: $input) {{
        __typename ... on {kind}Payload {{ {wanted} }} ... on Error {{ message }} ... on ValidationError {{ field }} }} }}"""


async def change(client: httpx.AsyncClient, name: str, input: Mapping[str, Any], wanted: str = "__typename") -> dict[str, Any]:
    """The result of a mutation, payload or typed error."""
    result: dict[str, Any] = (await look(client, mutation(name, wanted), input=input))["result"]
    return result


async def done(client: httpx.AsyncClient, name: str, input: Mapping[str, Any], wanted: str = "__typename") -> dict[str, Any]:
    """The payload of a mutation, which must not be refused."""
    result = await change(client, name, input, wanted)
    assert result.pop("__typename") == name[0].upper() + name[1:] + "Payload", result
    return result


async def refused(client: httpx.AsyncClient, name: str, input: Mapping[str, Any]) -> tuple[str, str]:
    """The type and the sentence of a typed error; a mutation that is done fails the test."""
    result = await change(client, name, input)
    assert "message" in result, result
    assert result["message"].endswith((".", "?")) or "confirm" in result["message"], result
    return result["__typename"], result["message"]


async def stopped(client: httpx.AsyncClient, name: str, input: Mapping[str, Any]) -> str:
    """The code of the only error of a request that did nothing."""
    answer = await ask(client, mutation(name), input=input)
    assert answer.get("data") is None
    [error] = answer["errors"]
    return str(error["extensions"]["code"])


async def events(action: str) -> list[tuple[str, str, Any]]:
    """Who did it to what, with which details, in the order of events; each with the token and the address of its request."""
    rows = await fetch("SELECT actor, subject, details, token_id, address FROM audit_event WHERE action = $1 ORDER BY id", action)
    assert all(row["token_id"] is not None and row["address"] for row in rows), [dict(row) for row in rows]
    return [(row["actor"], row["subject"], orjson.loads(row["details"])) for row in rows]


PACKAGE = """query ($namespace: String!, $name: String!) { package(namespace: $namespace, name: $name) {
    id visibility releases(first: 100) { nodes { id version } } files(first: 100) { nodes { id path labels { name } } } } }"""


async def package_of(client: httpx.AsyncClient, name: str, namespace: str = "alice") -> Any:
    """A package with its releases by version and its files by path; None where the client sees none."""
    found = (await look(client, PACKAGE, namespace=namespace, name=name))["package"]
    if found is None:
        return None
    releases = {one["version"]: one["id"] for one in found["releases"]["nodes"]}
    files = {one["path"]: one["id"] for one in found["files"]["nodes"]}
    labels = {one["path"]: sorted(label["name"] for label in one["labels"]) for one in found["files"]["nodes"]}
    return {"id": found["id"], "visibility": found["visibility"], "releases": releases, "files": files, "labels": labels}
