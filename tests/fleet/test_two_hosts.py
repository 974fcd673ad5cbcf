"""Two hosts with one PostgreSQL and one object store, behind a balancer: each knows at once what happened through the other."""

from __future__ import annotations

import hashlib
import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import msgpack
import zstandard
from conda_builder import build_conda
from entrepot_process import eventually, serving
from pypi_builder import build_wheel
from real_client import Client, run
from under_load import Load, assert_all_there

if TYPE_CHECKING:
    from .conftest import Fleet

SHARDS = "/conda/alice/noarch/repodata_shards.msgpack.zst"
FILES = """query ($name: String!) { package(namespace: "alice", name: $name) {
    latestRelease { version } files(first: 10) { nodes { basename sha256 downloadUrl } } } }"""


def put(client: httpx.Client, basename: str, body: bytes) -> None:
    """An upload, which must be taken."""
    answer = client.put(f"/upload/alice/{basename}", content=body)
    assert answer.status_code == 201, answer.text


def shards(client: httpx.Client) -> dict[str, str]:
    """The digest of each name's shard."""
    index = msgpack.unpackb(zstandard.decompress(client.get(SHARDS).raise_for_status().content))
    return {name: digest.hex() for name, digest in index["shards"].items()}


def versions(client: httpx.Client, digest: str) -> set[str]:
    """The versions in a shard."""
    answer = client.get(f"/conda/alice/noarch/shards/{digest}.msgpack.zst")
    assert answer.status_code == 200, answer.text
    return {record["version"] for record in msgpack.unpackb(zstandard.decompress(answer.content))["packages.conda"].values()}


def asked(client: httpx.Client, name: str) -> dict[str, Any]:
    """What GraphQL says of a package."""
    answer = client.post("/graphql", json={"query": FILES, "variables": {"name": name}}).json()
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["package"]
    return found


def test_what_was_uploaded_through_one_is_in_the_next_answer_of_the_other(fleet: Fleet) -> None:
    with fleet.client(0) as a, fleet.client(1) as b:
        for number, (here, there) in enumerate([(a, b), (b, a)] * 5):
            basename, body = build_conda("ship", f"1.{number}", files={"share/data": b"x" * 100_000})
            put(here, basename, body)
            assert versions(there, shards(there)["ship"]) == {f"1.{one}" for one in range(number + 1)}
            assert basename in there.get("/conda/alice/noarch/repodata.json").json()["packages.conda"]
            got = there.get(f"/conda/alice/noarch/{basename}", follow_redirects=True)
            assert hashlib.sha256(got.content).hexdigest() == hashlib.sha256(body).hexdigest()
            told = asked(there, "ship")
            assert told["latestRelease"]["version"] == f"1.{number}"
            assert {file["basename"] for file in told["files"]["nodes"]} == {f"ship-1.{one}-0.conda" for one in range(number + 1)}
            wheel, content = build_wheel("harbour", f"1.{number}")
            put(there, wheel, content)
            assert wheel in here.get("/pypi/alice/simple/harbour/").text


def test_old_shards_are_served_by_hosts_that_never_rendered_them(fleet: Fleet) -> None:
    with fleet.client(0) as a, fleet.client(1) as b:
        put(a, *build_conda("ship", "1.0"))
        old = shards(a)["ship"]
        put(a, *build_conda("ship", "2.0"))
        assert versions(a, shards(a)["ship"]) == {"1.0", "2.0"}
        assert versions(b, old) == {"1.0"}  # which has rendered no index at all
        assert shards(b)["ship"] == shards(a)["ship"] != old
    (fleet.folder / "c").mkdir()
    with serving(fleet.folder / "c" / "data") as late, httpx.Client(base_url=late.url, timeout=60) as c:
        assert versions(c, old) == {"1.0"}


def test_a_token_that_is_revoked_on_one_is_dead_on_the_other_with_its_next_request(fleet: Fleet) -> None:
    revoke = "mutation ($id: ID!) { revokeToken(input: {tokenId: $id}) { __typename } }"
    tokens = "{ viewer { tokens(first: 10) { nodes { id name } } } }"
    for number, (here, there) in enumerate([(0, 1), (1, 0)]):
        doomed = fleet.run("token", "create", "alice", "--name", f"doomed {number}")
        with fleet.client(here) as owner, fleet.client(there, doomed) as client:
            assert client.get("/conda/alice/noarch/repodata.json").status_code == 200
            nodes = owner.post("/graphql", json={"query": tokens}).json()["data"]["viewer"]["tokens"]["nodes"]
            [known] = [node["id"] for node in nodes if node["name"] == f"doomed {number}"]
            done = owner.post("/graphql", json={"query": revoke, "variables": {"id": known}}).json()
            assert done["data"]["revokeToken"]["__typename"] == "RevokeTokenPayload", done
            assert client.get("/conda/alice/noarch/repodata.json").status_code == 401
            assert client.put("/upload/alice/x.conda", content=b"x").status_code == 401
    fleet.run("user", "disable", "alice")
    for host in (0, 1):
        with fleet.client(host) as client:
            assert client.get("/conda/alice/noarch/repodata.json").status_code == 401


def test_with_one_host_killed_the_other_goes_on_and_nothing_that_was_answered_is_lost(fleet: Fleet) -> None:
    with Load(fleet.url, fleet.token).running() as load:
        eventually(lambda: len(load.answered) >= 20, 90)
        for process in fleet.hosts[0].processes:
            os.kill(process, signal.SIGKILL)
        seen = len(load.answered)
        eventually(lambda: len(load.answered) >= seen + 20, 90)
    assert all(text.startswith("<html>") for text in load.refused), load.refused[:3]  # nginx's own 502, for what was under way
    assert len(load.refused) <= 16
    assert_all_there(fleet.hosts[1].url, load)
    assert_all_there(fleet.url, load)


def test_real_clients_install_through_the_balancer(fleet: Fleet, client: Client) -> None:
    with fleet.client() as http:
        for body in (build_wheel("harbour", "1.0", ["quay"]), build_wheel("quay", "2.0")):
            put(http, *body)
        for conda in (build_conda("lib", "2.0"), build_conda("app", "1.0", depends=["lib >=2"], files={"share/app.txt": b"installed\n"})):
            put(http, *conda)
    python = client.venv()
    client.pip(python, "install", "--index-url", f"{fleet.url}/pypi/alice/simple/", "harbour")
    assert "quay" in run([str(python), "-m", "pip", "list"], env=client.env).stdout
    assert "lib 2.0 0" in client.rattler(f"{fleet.url}/conda/alice", client.home / "prefix", "app").stdout
    assert (client.home / "prefix" / "share/app.txt").read_bytes() == b"installed\n"


def test_a_request_has_one_id_and_its_true_client_from_nginx_to_the_log_and_no_log_shows_a_token(fleet: Fleet) -> None:
    with fleet.client(token=None) as http:
        answers = [http.get(f"/t/{fleet.token}/conda/alice/noarch/repodata.json"), http.get(f"/conda/t/{fleet.token}/alice/noarch/repodata.json?x=y")]
        answers.append(http.put(f"/upload/-/{fleet.token}", content=b"x"))
        answers.append(http.get("/nowhere", headers={"X-Forwarded-For": "1.2.3.4", "X-Request-ID": "forged"}))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404]
    ids = [answer.headers["x-request-id"] for answer in answers]
    eventually(lambda: all(one in fleet.balancer.logs for one in ids))

    def logged() -> str:
        return "".join((fleet.folder / f"{name}.log").read_text() for name in "ab")

    eventually(lambda: all(one in logged() for one in ids))
    everything = fleet.balancer.logs + logged()
    assert fleet.token not in everything
    assert "forged" not in everything
    assert "client=1.2.3.4" not in everything
    assert everything.count("/t/***/") == 4


def test_the_hosts_answer_for_themselves_and_not_through_the_balancer_when_asked_for_metrics(fleet: Fleet) -> None:
    assert httpx.get(f"{fleet.url}/metrics").status_code == 403
    for host in fleet.hosts:
        assert "entrepot_requests_total" in httpx.get(f"{host.url}/metrics").text
        assert httpx.get(f"{host.url}/readyz").json()["ready"]
