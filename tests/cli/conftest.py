"""The command `entrepot` in processes of its own; commands with no plugins unless a test says otherwise, servers with all."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from command import run_command
from entrepot.db.connection import database
from entrepot.registry import Registry
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot_process import Running, process_environment, serving
from ground import Ground

Entrepot = Callable[..., "subprocess.CompletedProcess[str]"]
Serve = Callable[..., Running]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data(tmp_path: Path, ground: Ground) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def token(data: Path, ground: Ground) -> str:
    """A token of alice's, whose namespace is in the data folder."""
    ground.data(data)
    registry = Registry.of({})

    async def create() -> str:
        async with database(Settings(data=data)):
            await create_user(registry, name="alice", password=None, admin=False)
            return await create_token(registry, owner="alice", name="laptop")

    return asyncio.run(create())


@pytest.fixture
def with_alice(data: Path, token: str) -> Path:
    """The data folder, with the user alice in it."""
    return data


@pytest.fixture
def entrepot(tmp_path: Path) -> Entrepot:
    """Run a command to its end."""

    def run(*arguments: object, stdin: str = "", environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        own = {**process_environment(), "ENTREPOT_PLUGINS": "", **(environment or {})}
        return run_command(*arguments, stdin=stdin, folder=tmp_path, environment=own)

    return run


@pytest.fixture
def serve(tmp_path: Path, data: Path) -> Iterator[Serve]:
    """Start a server on the data folder and a free port, and wait until it says that it serves."""
    with ExitStack() as stack:

        def start(*arguments: object, environment: Mapping[str, str] | None = None) -> Running:
            return stack.enter_context(serving(data, *arguments, environment=environment))

        yield start
