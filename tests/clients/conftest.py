"""One running server, and real clients in environments of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from access_log import AccessLog
from ground import Ground
from installed_server import Server, serving
from real_client import Client, download


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> Iterator[Server]:
    """A server with the users alice and bob. Where there is an object store it sends clients there."""
    with serving(tmp_path_factory.mktemp("server"), None) as running:
        for name in ("alice", "bob"):
            assert running.entrepot("user", "create", name).returncode == 0
        yield running


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """A token of alice's."""
    return server.token("all")


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tools' own environments are kept for the run: all of its processes share them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tools"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def client(tools: Path) -> Client:
    """Real clients with an empty home."""
    return Client(Path(tempfile.mkdtemp(prefix="home-", dir=tools)))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Real wheels: python-dateutil, the six that it needs, and what builds an sdist."""
    return download(
        tmp_path_factory.mktemp("wheels"), "six==1.17.0", "python-dateutil==2.9.0.post0", "setuptools", "wheel", "setuptools-scm", "packaging"
    )


@pytest.fixture(scope="session")
def sdists(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A real sdist."""
    return download(tmp_path_factory.mktemp("sdists"), "six==1.16.0", sdist=True)


def upload(server: Server, token: str, *files: Path, namespace: str = "alice") -> None:
    """Put files in by PUT."""
    with server.client() as http:
        for file in files:
            answer = http.put(f"/upload/{namespace}/{file.name}", content=file.read_bytes(), headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (200, 201), answer.text


@pytest.fixture(scope="module")
def filled(server: Server, token: str, wheels: list[Path], sdists: list[Path]) -> Server:
    """The server with the real wheels and sdists in alice's namespace."""
    upload(server, token, *wheels, *sdists)
    return server


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> Iterator[tuple[Server, AccessLog]]:
    """A server with the users alice and bob, and what is asked of it."""
    folder = tmp_path_factory.mktemp("watched")
    log = folder / "log"
    with serving(folder, None, log=log) as running:
        for name in ("alice", "bob"):
            assert running.entrepot("user", "create", name).returncode == 0
        yield running, AccessLog(log, running.url)
