"""A server in a process of its own that sees other distributions than the tests do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import entrepot_process
import httpx
from command import run_command
from entrepot_process import COMMAND, process_environment

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Server:
    """A running server, and what its users hold."""

    url: str
    entrepot: Command

    def client(self, *scopes: str, user: str = "alice") -> httpx.Client:
        """A client with a token of the user; without scopes it is anonymous."""
        headers = {"Authorization": f"Bearer {self.token(*scopes, user=user)}"} if scopes else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def token(self, *scopes: str, user: str = "alice") -> str:
        """A new token."""
        wanted = [word for scope in scopes for word in ("--scope", scope)]
        made = self.entrepot("token", "create", user, "--name", "test", *wanted)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """A GraphQL answer for anonymous."""
        with self.client() as client:
            answer = client.post("/graphql", json={"query": query, "variables": variables})
            document: dict[str, Any] = answer.json()
            return document


@contextmanager
def serving(folder: Path, python_path: Path | None, *, log: Path | None = None) -> Iterator[Server]:
    """A server on the folder's data; with a log it writes there, also which requests it had."""
    paths = {"PYTHONPATH": str(python_path)} if python_path else {}
    logging = {"ENTREPOT_ACCESS_LOG": "true"} if log else {}
    serve = ["sh", "-c", 'exec "$@" 2>> "$0"', str(log), *COMMAND] if log else COMMAND

    def entrepot(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*arguments, "--data", str(folder / "data")]
        if python_path is None:
            return run_command(*command, folder=folder, environment=process_environment())
        environment = {**process_environment(), **paths}  # whose distributions only a new process sees
        return subprocess.run([*COMMAND, *command], capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=60)

    with entrepot_process.serving(folder / "data", environment=paths | logging, command=serve) as running:
        yield Server(running.url, entrepot)
        running.process.terminate()
        assert running.process.wait(timeout=60) == 0
