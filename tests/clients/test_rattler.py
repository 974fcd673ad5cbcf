"""A real conda client, py-rattler, solves and installs: through shards, through zst, through plain json; by label and by token."""

from __future__ import annotations

import json

import pytest
from conda_builder import build_conda
from installed_server import Server
from real_client import Client


def publish(server: Server, token: str, *packages: tuple[str, bytes], query: str = "") -> None:
    with server.client() as http:
        for basename, body in packages:
            answer = http.put(f"/upload/alice/{basename}{query}", content=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(("shards", "zstd"), [("1", "1"), ("0", "1"), ("0", "0")], ids=["shards", "zst", "json"])
def test_rattler_solves_and_installs_a_package_with_its_dependency(server: Server, client: Client, token: str, shards: str, zstd: str) -> None:
    name = f"app-{shards}{zstd}"
    publish(
        server,
        token,
        build_conda(f"lib-{shards}{zstd}", "2.0", subdir="linux-64", build="h1_0"),
        build_conda(name, "1!1.2", depends=[f"lib-{shards}{zstd} >=2"], files={f"share/{name}.txt": b"installed\n"}, ext=".tar.bz2"),
    )
    client.variables = {"SHARDED": shards, "ZSTD": zstd}
    prefix = client.home / "prefix"
    installed = client.rattler(f"{server.url}/conda/alice", prefix, name).stdout.split("\n")
    assert f"{name} 1!1.2 0" in installed
    assert f"lib-{shards}{zstd} 2.0 h1_0" in installed
    assert (prefix / f"share/{name}.txt").read_bytes() == b"installed\n"
    assert {record.name.split("-1!")[0] for record in (prefix / "conda-meta").glob(f"{name}*.json")} == {name}


def test_rattler_sees_a_new_version_on_its_next_call(server: Server, client: Client, token: str) -> None:
    for version in ("1.0", "1.10", "1.9"):
        publish(server, token, build_conda("growing", version))
    cache = client.home / "cache"
    assert "growing 1.10 0" in client.rattler(f"{server.url}/conda/alice", client.home / "first", "growing", cache=cache).stdout
    publish(server, token, build_conda("growing", "1.11"))
    assert "growing 1.11 0" in client.rattler(f"{server.url}/conda/alice", client.home / "second", "growing", cache=cache).stdout


def test_rattler_sees_in_a_labels_channel_what_has_the_label(server: Server, client: Client, token: str) -> None:
    publish(server, token, build_conda("labelled", "1.0"))
    publish(server, token, build_conda("labelled", "2.0rc1"), query="?label=dev")
    channel = f"{server.url}/conda/alice"
    assert "labelled 1.0 0" in client.rattler(channel, client.home / "main", "labelled").stdout
    assert "labelled 2.0rc1 0" in client.rattler(f"{channel}/label/dev", client.home / "dev", "labelled").stdout


@pytest.mark.parametrize("place", ["front", "behind"])
def test_rattler_reads_private_packages_with_a_token_in_the_url(server: Server, client: Client, token: str, place: str) -> None:
    publish(server, token, build_conda(f"secret-{place}", "1.0"), query="?private=true")
    reader = server.token("conda:download")
    url = f"{server.url}/t/{reader}/conda/alice" if place == "front" else f"{server.url}/conda/t/{reader}/alice"
    assert client.rattler(f"{server.url}/conda/alice", client.home / "nothing", f"secret-{place}", check=False).returncode != 0
    assert f"secret-{place} 1.0 0" in client.rattler(url, client.home / "prefix", f"secret-{place}", cache=client.home / "other").stdout


@pytest.mark.parametrize("kind", ["CondaToken", "BearerToken", "BasicHTTP"])
def test_rattler_sends_the_credential_of_its_store(server: Server, client: Client, token: str, kind: str) -> None:
    name = f"stored-{kind.lower()}"
    publish(server, token, build_conda(name, "1.0"), query="?private=true")
    credential = {"username": "__token__", "password": token} if kind == "BasicHTTP" else token
    client.home.mkdir(parents=True, exist_ok=True)
    store = client.home / "auth.json"
    store.write_text(json.dumps({"127.0.0.1": {kind: credential}}))
    client.variables = {"RATTLER_AUTH_FILE": str(store)}
    assert f"{name} 1.0 0" in client.rattler(f"{server.url}/conda/alice", client.home / "prefix", name).stdout
