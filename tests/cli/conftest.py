"""The command `entrepot` in processes of its own; commands with no plugins unless a test says otherwise, servers with all."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from entrepot_process import COMMAND, ENVIRONMENT, Running, serving

Entrepot = Callable[..., "subprocess.CompletedProcess[str]"]
Serve = Callable[..., Running]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder with the user alice, and a token of hers."""
    folder = tmp_path_factory.mktemp("template") / "data"
    environment = {**ENVIRONMENT, "ENTREPOT_PLUGINS": ""}
    for arguments in (["user", "create", "alice"], ["token", "create", "alice", "--name", "laptop"]):
        done = subprocess.run(
            [*COMMAND, *arguments, "--data", str(folder)], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment
        )
    return folder, done.stdout.strip()


@pytest.fixture
def with_alice(data: Path, template: tuple[Path, str]) -> Path:
    """The data folder, with the user alice in it."""
    shutil.copytree(template[0], data)
    return data


@pytest.fixture
def token(with_alice: Path, template: tuple[Path, str]) -> str:
    """A token of alice's."""
    return template[1]


@pytest.fixture
def entrepot(tmp_path: Path) -> Entrepot:
    """Run a command to its end."""

    def run(*arguments: object, stdin: str = "", environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *map(str, arguments)]
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**ENVIRONMENT, "ENTREPOT_PLUGINS": "", **(environment or {})},
        )

    return run


@pytest.fixture
def serve(tmp_path: Path, data: Path) -> Iterator[Serve]:
    """Start a server on the data folder and a free port, and wait until it says that it serves."""
    with ExitStack() as stack:

        def start(*arguments: object, environment: Mapping[str, str] | None = None) -> Running:
            return stack.enter_context(serving(data, *arguments, environment=environment))

        yield start
