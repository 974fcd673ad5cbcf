"""Servers in processes of their own, as operators run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from command import run_command
from entrepot_process import COMMAND, Running, process_environment, serving
from ground import Ground

Entrepot = Callable[..., str]
Serve = Callable[..., Running]


@pytest.fixture
def data(tmp_path: Path, ground: Ground) -> Path:
    """The data folder of servers on the ground."""
    return ground.data(tmp_path / "data")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The file that servers log to."""
    return tmp_path / "log"


@pytest.fixture
def entrepot(data: Path) -> Entrepot:
    """Run a command on the data folder; answers what it prints."""

    def run(*arguments: object) -> str:
        done = run_command(*arguments, "--data", data, folder=data.parent, environment=process_environment())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def token(entrepot: Entrepot) -> str:
    """A token of alice's."""
    entrepot("user", "create", "alice")
    return entrepot("token", "create", "alice", "--name", "laptop")


@pytest.fixture
def with_password_of_carol(data: Path) -> None:
    """A user who logs in with a password."""
    environment = process_environment()
    words = ("user", "create", "carol", "--password-stdin", "--data", data)
    done = run_command(*words, stdin="correct-horse battery~staple\n", folder=data.parent, environment=environment)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def serve(data: Path, log: Path) -> Iterator[Serve]:
    """Start a server whose settings are given as keywords, and wait until it says that it serves."""
    with ExitStack() as stack:

        def start(**settings: object) -> Running:
            environment = {f"ENTREPOT_{name.upper()}": str(value) for name, value in settings.items()}
            command = ["sh", "-c", 'exec "$@" 2>> "$0"', str(log), *COMMAND]
            return stack.enter_context(serving(data, environment=environment, command=command))

        yield start
