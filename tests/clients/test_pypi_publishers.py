"""Every publisher of Python packages publishes, may repeat itself, and tells its user what it was refused for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from access_log import AccessLog
from installed_server import Server
from pypi_builder import build_wheel
from pypi_publishers import PUBLISHERS, Done, by_pdm, by_poetry, said, write_project
from real_client import Client

pytestmark = pytest.mark.parametrize("lasting_ground", ["folder"], indirect=True)  # the form is the same on every ground: tests/pypi
Watched = tuple[Server, AccessLog]


@pytest.fixture(scope="module")
def token(watched: Watched) -> str:
    """Of alice's, that only uploads."""
    return watched[0].token("pypi:upload")


@pytest.mark.parametrize("tool", PUBLISHERS)
def test_it_publishes_a_wheel_and_an_sdist(watched: Watched, client: Client, token: str, tool: str) -> None:
    server, log = watched
    name = f"by-{tool}"
    project = write_project(client.home / "project", name, "answer = 42\n")
    with log.watching() as asked:
        done = PUBLISHERS[tool].publish(client, project, legacy(server), token)
    assert done.returncode == 0, said(done)
    posts = [one for one in asked if one.method == "POST"]
    assert [(one.path, one.status) for one in posts] == [("/pypi/alice/legacy/", 200)] * 2
    assert files_of(server, name) == [f"by_{tool}-1.0-py3-none-any.whl", f"by_{tool}-1.0.tar.gz"]


@pytest.mark.parametrize("tool", PUBLISHERS)
def test_it_shows_that_a_file_exists_with_other_bytes(watched: Watched, client: Client, token: str, tool: str) -> None:
    server, _ = watched
    name = f"twice-by-{tool}"
    put(server, build_wheel(name, "1.0", files={"other.py": b""}))
    done = PUBLISHERS[tool].publish(client, write_project(client.home / "project", name, "answer = 43\n"), legacy(server), token)
    assert done.returncode != 0
    assert "400" in said(done)
    assert "Bad Request" in said(done)
    assert ("File already exists" in said(done)) is PUBLISHERS[tool].shows_sentence


@pytest.mark.parametrize(("tool", "shows_sentence"), [("twine", True), ("flit", False)])
def test_it_shows_that_a_token_is_wrong(watched: Watched, client: Client, tool: str, shows_sentence: bool) -> None:
    """flit shows the sentence of a 400 alone; the others treat every refusal alike."""
    server, _ = watched
    done = PUBLISHERS[tool].publish(client, write_project(client.home / "project", "unwelcome", "answer = 44\n"), legacy(server), "ent-wrong")
    assert done.returncode != 0
    assert "401" in said(done)
    assert "Unauthorized" in said(done)
    assert ("This token is not valid" in said(done)) is shows_sentence


@pytest.mark.parametrize(("tool", "publish"), [("poetry", by_poetry), ("pdm", by_pdm)])
def test_skip_existing_goes_on_where_a_file_is_there(watched: Watched, client: Client, token: str, tool: str, publish: Callable[..., Done]) -> None:
    """twine refuses the option for every index but PyPI; uv has `--check-url`."""
    server, _ = watched
    name = f"skipped-by-{tool}"
    put(server, build_wheel(name, "1.0", files={"other.py": b""}))
    done = publish(client, write_project(client.home / "project", name, "answer = 44\n"), legacy(server), token, "--skip-existing")
    assert done.returncode == 0, said(done)
    assert len(files_of(server, name)) == 2


@pytest.mark.parametrize("tool", ["twine", "uv"])
def test_attestations_come_along_and_do_no_harm(watched: Watched, client: Client, token: str, tool: str) -> None:
    server, _ = watched
    basename, body = build_wheel(f"attested-by-{tool}", "1.0")
    client.home.mkdir(parents=True, exist_ok=True)
    wheel, attestation = client.home / basename, client.home / f"{basename}.publish.attestation"
    wheel.write_bytes(body)
    envelope = {"statement": "e30=", "signature": "AA=="}
    material = {"certificate": "AA==", "transparency_entries": [{}]}
    attestation.write_text(json.dumps({"version": 1, "verification_material": material, "envelope": envelope}))
    if tool == "uv":
        done = client.uv_publish("--publish-url", legacy(server), "--token", token, str(wheel), str(attestation), check=False)
    else:
        words = ["--non-interactive", "--repository-url", legacy(server), "-u", "__token__", "-p", token, "--attestations"]
        done = client.twine("upload", *words, str(wheel), str(attestation), check=False)
    assert done.returncode == 0, said(done)
    assert files_of(server, f"attested-by-{tool}") == [basename]


def test_uv_shows_every_sentence(watched: Watched, client: Client, token: str) -> None:
    server, _ = watched
    broken = write_project(client.home / "broken", "broken", "answer = 45\n")
    (broken / "dist" / "broken-1.0-py3-none-any.whl").write_bytes(build_wheel("broken", "1.0", record=b"x,,\n")[1])
    good = write_project(client.home / "good", "good", "answer = 46\n")
    publish = PUBLISHERS["uv"].publish
    for project, url, status, sentence in (
        (broken, legacy(server), 400, "RECORD lists 'x', which is not in the wheel."),
        (good, legacy(server, "bob"), 403, "alice may not write to the namespace bob."),
        (good, legacy(server, "nobody"), 404, "no namespace nobody"),
    ):
        done = publish(client, project, url, token)
        assert done.returncode != 0
        assert f"status code {status}" in said(done)
        assert sentence in said(done)


def test_uv_says_when_it_was_given_the_index_to_publish_to(watched: Watched, client: Client, token: str) -> None:
    server, _ = watched
    project = write_project(client.home / "project", "astray", "answer = 49\n")
    done = PUBLISHERS["uv"].publish(client, project, f"{server.url}/pypi/alice/simple/", token)
    assert done.returncode != 0
    assert "are you using the simple index URL instead of the upload URL?" in said(done)


def test_check_url_of_uv_skips_the_same_bytes_and_refuses_others_before_it_sends_them(watched: Watched, client: Client) -> None:
    server, log = watched
    token = server.token("pypi:upload", "pypi:download")
    check = f"{server.url}/t/{token}/pypi/alice/simple/"
    project = write_project(client.home / "project", "checked", "answer = 47\n")
    words = ["--publish-url", legacy(server), "--token", token, "--check-url", check, *map(str, (project / "dist").iterdir())]
    with log.watching() as asked:
        client.uv_publish(*words)
        assert "already exists" in said(client.uv_publish(*words))
    assert [one.status for one in asked if one.method == "POST"] == [200, 200]
    assert next(one.status for one in asked if one.path.endswith("/simple/checked/")) == 404
    write_project(project, "checked", "answer = 48\n")
    with log.watching() as asked:
        assert client.uv_publish(*words, check=False).returncode != 0
    assert [one for one in asked if one.method == "POST"] == []


def legacy(server: Server, namespace: str = "alice") -> str:
    """Where publishers publish to."""
    return f"{server.url}/pypi/{namespace}/legacy/"


def put(server: Server, package: tuple[str, bytes]) -> None:
    """Upload something beforehand."""
    with server.client("all") as alice:
        alice.put(f"/upload/alice/{package[0]}", content=package[1]).raise_for_status()


def files_of(server: Server, project: str) -> list[str]:
    """What the index has of a project."""
    with server.client() as anyone:
        page = anyone.get(f"/pypi/alice/simple/{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}).raise_for_status().json()
    return sorted(file["filename"] for file in page["files"])
