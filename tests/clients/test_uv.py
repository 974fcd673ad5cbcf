"""uv installs and publishes."""

from __future__ import annotations

from pathlib import Path

from installed_server import Server
from pypi_builder import build_wheel
from real_client import Client, run


def test_uv_installs_a_wheel_with_its_dependency(filled: Server, client: Client) -> None:
    python = client.venv()
    client.uv_pip(python, "install", "--default-index", f"{filled.url}/pypi/alice/simple/", "python-dateutil")
    assert run([str(python), "-c", "import dateutil, six; print(six.__version__)"]).stdout.strip() == "1.17.0"


def test_uv_excludes_what_is_newer(filled: Server, client: Client) -> None:
    index = f"{filled.url}/pypi/alice/simple/"
    done = client.uv_pip(client.venv(), "install", "--default-index", index, "--exclude-newer", "2020-01-01T00:00:00Z", "six", check=False)
    assert done.returncode != 0
    client.uv_pip(client.venv(), "install", "--default-index", index, "--exclude-newer", "2100-01-01T00:00:00Z", "six")


def test_uv_publishes_what_it_then_installs_and_skips_what_is_there(server: Server, client: Client, token: str) -> None:
    name, body = build_wheel("published-by-uv", "1.0")
    file = client.home / name
    client.home.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    where = ["--publish-url", f"{server.url}/pypi/alice/legacy/", "--token", token]
    client.uv_publish(*where, str(file))
    client.uv_publish(*where, str(file))
    said = client.uv_publish(*where, "--check-url", f"{server.url}/pypi/alice/simple/", str(file)).stderr
    assert "already exists" in said
    client.uv_pip(client.venv(), "install", "--default-index", f"{server.url}/pypi/alice/simple/", "published-by-uv")


def test_uv_says_why_other_bytes_under_a_published_name_are_refused(server: Server, client: Client, token: str) -> None:
    where = ["--publish-url", f"{server.url}/pypi/alice/legacy/", "--token", token]
    client.home.mkdir(parents=True, exist_ok=True)
    for summary, code in (("first", 0), ("second", 2)):
        name, body = build_wheel("changed-by-uv", "1.0", files={"changed_by_uv.py": summary.encode()})
        Path(client.home / name).write_bytes(body)
        done = client.uv_publish(*where, str(client.home / name), check=False)
        assert done.returncode == code, done.stderr
    assert "File already exists" in " ".join(done.stderr.split())  # uv breaks its lines


def test_uv_says_why_a_wrong_token_is_refused(server: Server, client: Client) -> None:
    name, body = build_wheel("unwelcome", "1.0")
    client.home.mkdir(parents=True, exist_ok=True)
    (client.home / name).write_bytes(body)
    done = client.uv_publish("--publish-url", f"{server.url}/pypi/alice/legacy/", "--token", "ent-wrong", str(client.home / name), check=False)
    assert done.returncode != 0
    assert "token is not valid" in " ".join(done.stderr.split())
