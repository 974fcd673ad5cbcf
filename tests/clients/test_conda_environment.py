"""conda creates environments from the addresses of environment files."""

from __future__ import annotations

from conda_builder import build_conda
from environment_builder import build_environment
from installed_server import Server
from real_client import Client


def put(server: Server, token: str, basename: str, body: bytes, query: str = "") -> None:
    with server.client() as http:
        answer = http.put(f"/upload/alice/{basename}{query}", content=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 201, answer.text


def test_conda_creates_the_newest_version_of_an_environment(server: Server, client: Client, token: str) -> None:
    channels = [f"{server.url}/conda/alice", "nodefaults"]
    for version in ("1.0", "2.0"):
        put(server, token, *build_conda("greeter", version))
        put(server, token, "environment.yml", build_environment("greetings", [f"greeter={version}"], channels=channels))
    client.conda("env", "create", "--name", "mine", "--file", f"{server.url}/environment/alice/greetings.yml")
    assert (client.home / "envs/mine/share/greeter/2.0.txt").read_bytes() == b"greeter 2.0\n"


def test_conda_creates_a_private_environment_with_a_token_in_its_address(server: Server, client: Client, token: str) -> None:
    reader = server.token("conda:download", "environment:download")
    channels = [f"{server.url}/t/{reader}/conda/alice", "nodefaults"]
    put(server, token, *build_conda("whisperer", "1.0"), query="?private=true")
    put(server, token, "environment.yml", build_environment("whispers", ["whisperer"], channels=channels), query="?private=true&version=1.0")
    with server.client() as http:
        assert http.get("/environment/alice/whispers.yml").status_code == 404
    client.conda("env", "create", "--name", "mine", "--file", f"{server.url}/t/{reader}/environment/alice/whispers.yml")
    assert (client.home / "envs/mine/share/whisperer/1.0.txt").exists()
