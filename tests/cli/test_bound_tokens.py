"""`entrepot token create --package`, tokens of organizations, and what `token revoke` takes along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from conda_builder import build_conda

if TYPE_CHECKING:
    from .conftest import Entrepot, Serve

BALL, CAR = build_conda("ball", "1.0"), build_conda("car", "1.0")
MAKE = 'mutation { createToken(input: {name: "ci", scopes: ["repos"]}) { ... on CreateTokenPayload { secret } } }'


def ask(url: str, token: str, query: str) -> Any:
    answer = httpx.post(f"{url}/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})
    return answer.json()["data"]


def test_tokens_are_bound_and_are_of_organizations(entrepot: Entrepot, serve: Serve, with_alice: Path, token: str) -> None:
    server = serve()
    ask(server.url, token, 'mutation { createOrganization(input: {name: "acme"}) { __typename } }')
    for name, body in (BALL, CAR):
        made = httpx.put(f"{server.url}/upload/acme/{name}?private=true", content=body, headers={"Authorization": f"Bearer {token}"})
        assert made.status_code == 201

    def opens(secret: str) -> list[int]:
        return [httpx.get(f"{server.url}/t/{secret}/conda/acme/noarch/{name}").status_code for name, _ in (BALL, CAR)]

    bound = entrepot("token", "create", "acme", "--name", "ci", "--package", "ACME/ball", "--data", with_alice).stdout.strip()
    assert opens(bound) == [200, 404]
    free = entrepot("token", "create", "acme", "--name", "deploy", "--data", with_alice).stdout.strip()
    assert opens(free) == [200, 200]
    listed = json.loads(entrepot("token", "list", "acme", "--json", "--data", with_alice).stdout)
    assert [(one["name"], one["package"]) for one in listed] == [("deploy", None), ("ci", "acme/ball")]
    assert "acme/ball" in entrepot("token", "list", "acme", "--data", with_alice).stdout
    entrepot("token", "revoke", "acme", "--name", "ci", "--data", with_alice)
    assert (opens(bound), opens(free)) == ([401, 401], [200, 200])
    for owner, package, word in (
        ("acme", "acme/nothing", "no package"),
        ("acme", "ball", "no package"),
        ("nobody", "acme/ball", "no user or organization"),
    ):
        done = entrepot("token", "create", owner, "--name", "x", "--package", package, "--data", with_alice)
        assert (done.returncode, done.stdout) == (1, "")
        assert word in done.stderr


def test_what_was_made_with_a_token_is_revoked_with_it_and_told(entrepot: Entrepot, serve: Serve, with_alice: Path, token: str) -> None:
    server = serve()
    made = ask(server.url, token, MAKE)["createToken"]["secret"]
    done = entrepot("token", "revoke", "alice", "--name", "laptop", "--data", with_alice)
    assert done.returncode == 0
    first, second = done.stderr.splitlines()
    assert first.startswith("The token laptop (")
    assert second.startswith("With it, because it was made with it: ci (")
    assert httpx.get(f"{server.url}/t/{made}/conda/alice/noarch/repodata.json").status_code == 401
