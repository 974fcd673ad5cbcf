"""Large files of an object store: real clients are sent to the store and come back with the right bytes, whatever credential they have."""

from __future__ import annotations

import json
import os

import pytest
from conda_builder import build_conda
from ground import Ground
from installed_server import Server
from pypi_builder import build_wheel
from real_client import Client, run

RANDOM = os.urandom(200_000)


@pytest.fixture(scope="module")
def large(server: Server, token: str, lasting_ground: Ground) -> Server:
    """The server with a public and a private wheel, and a public and a private conda package, that are not kept in memory."""
    with server.client() as http:
        for private in ("false", "true"):
            word = {"false": "open", "true": "closed"}[private]
            files = [
                build_wheel(f"large-{word}", "1.0", files={f"large_{word}.bin": RANDOM, f"large_{word}.py": b"answer = 42\n"}),
                build_conda(f"big-{word}", "1.0", files={f"share/big-{word}.bin": RANDOM}),
            ]
            for basename, body in files:
                answer = http.put(
                    f"/upload/alice/{basename}", params={"private": private}, content=body, headers={"Authorization": f"Bearer {token}"}
                )
                assert answer.status_code == 201, answer.text
            got = http.get(f"/t/{token}{answer.json()['url'].removeprefix(server.url)}")
            assert (got.status_code, got.has_redirect_location) == ((200, False) if lasting_ground.is_folder else (302, True))
    return server


@pytest.mark.parametrize("how", ["anonymous", "path", "basic"])
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_large_wheel_is_installed(large: Server, client: Client, token: str, tool: str, how: str) -> None:
    host = large.url.removeprefix("http://")
    index, name = {
        "anonymous": (f"{large.url}/pypi/alice/simple/", "large-open"),
        "path": (f"{large.url}/t/{token}/pypi/alice/simple/", "large-closed"),
        "basic": (f"http://__token__:{token}@{host}/pypi/alice/simple/", "large-closed"),
    }[how]
    python = client.venv()
    if tool == "pip":
        client.pip(python, "install", "--index-url", index, name)
    else:
        client.uv_pip(python, "install", "--default-index", index, name)
    module = name.replace("-", "_")
    assert run([str(python), "-c", f"import {module}; print({module}.answer)"]).stdout.strip() == "42"


@pytest.mark.parametrize("kind", ["anonymous", "path", "CondaToken", "BearerToken", "BasicHTTP"])
def test_a_large_conda_package_is_installed(large: Server, client: Client, token: str, kind: str) -> None:
    name = "big-open" if kind == "anonymous" else "big-closed"
    channel = f"{large.url}/t/{token}/conda/alice" if kind == "path" else f"{large.url}/conda/alice"
    if kind[0].isupper():
        credential = {"username": "__token__", "password": token} if kind == "BasicHTTP" else token
        client.home.mkdir(parents=True, exist_ok=True)
        store = client.home / "auth.json"
        store.write_text(json.dumps({"127.0.0.1": {kind: credential}}))
        client.variables = {"RATTLER_AUTH_FILE": str(store)}
    prefix = client.home / "prefix"
    assert f"{name} 1.0 0" in client.rattler(channel, prefix, name).stdout
    assert (prefix / f"share/{name}.bin").read_bytes() == RANDOM
