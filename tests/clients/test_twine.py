"""twine uploads real wheels and sdists."""

from __future__ import annotations

from pathlib import Path

from installed_server import Server
from pypi_builder import build_sdist, build_wheel
from real_client import Client


def credentials(url: str, token: str, namespace: str) -> list[str]:
    return ["--non-interactive", "--disable-progress-bar", "--repository-url", f"{url}/pypi/{namespace}/legacy/", "-u", "__token__", "-p", token]


def test_twine_uploads_real_wheels_and_sdists_and_they_can_be_installed(
    server: Server, client: Client, token: str, wheels: list[Path], sdists: list[Path]
) -> None:
    bobs = server.token("all", user="bob")
    client.twine("upload", *credentials(server.url, bobs, "bob"), *map(str, [*wheels, *sdists]))
    client.pip(client.venv(), "install", "--index-url", f"{server.url}/pypi/bob/simple/", "python-dateutil")


def test_twine_may_send_the_same_bytes_again(server: Server, client: Client, token: str) -> None:
    files = write(client, build_wheel("sent-by-twine", "1.0"), build_sdist("sent-by-twine", "1.0"))
    for _ in range(2):
        client.twine("upload", *credentials(server.url, token, "alice"), *files)


def test_twine_shows_that_other_bytes_are_refused(server: Server, client: Client, token: str) -> None:
    client.twine("upload", *credentials(server.url, token, "alice"), *write(client, build_wheel("sent-again", "1.0")))
    other = write(client, build_wheel("sent-again", "1.0", files={"sent_again.py": b"other = True\n"}))
    done = client.twine("upload", "--verbose", *credentials(server.url, token, "alice"), *other, check=False)
    assert done.returncode != 0
    assert "File already exists" in done.stdout + done.stderr


def test_twine_may_not_write_to_another_users_namespace(server: Server, client: Client, token: str) -> None:
    done = client.twine("upload", *credentials(server.url, token, "bob"), *write(client, build_wheel("intruder", "1.0")), check=False)
    assert done.returncode != 0
    assert "403" in done.stdout + done.stderr


def write(client: Client, *packages: tuple[str, bytes]) -> list[str]:
    client.home.mkdir(parents=True, exist_ok=True)
    for name, body in packages:
        (client.home / name).write_bytes(body)
    return [str(client.home / name) for name, _ in packages]
