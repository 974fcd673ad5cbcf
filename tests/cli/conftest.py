"""The command `entrepot` in processes of its own, with the empty plugin list unless a test says otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}

Entrepot = Callable[..., "subprocess.CompletedProcess[str]"]
Serve = Callable[..., "Running"]


@dataclass
class Running:
    """A server that answers."""

    process: subprocess.Popen[str]
    url: str
    greeting: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the user alice."""
    folder = tmp_path_factory.mktemp("template") / "data"
    command = [sys.executable, "-m", "entrepot", "user", "create", "alice", "--data", str(folder)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**ENVIRONMENT, "ENTREPOT_PLUGINS": ""})
    return folder


@pytest.fixture
def with_alice(data: Path, template: Path) -> Path:
    """The data folder, with the user alice in it."""
    shutil.copytree(template, data)
    return data


@pytest.fixture
def entrepot(tmp_path: Path) -> Entrepot:
    """Run a command to its end."""

    def run(*arguments: object, stdin: str = "", environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "entrepot", *map(str, arguments)]
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
            command = [sys.executable, "-m", "entrepot", "serve", "--data", str(data), "--port", "0", *map(str, arguments)]
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    stdout=subprocess.PIPE,
                    stdin=subprocess.DEVNULL,
                    text=True,
                    cwd=tmp_path,
                    env={**ENVIRONMENT, "ENTREPOT_PLUGINS": "", **(environment or {})},
                    start_new_session=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            greeting = process.stdout.readline()
            return Running(process, greeting.rpartition(" ")[2].strip(), greeting)

        yield start
