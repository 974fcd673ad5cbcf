"""Running `entrepot` in processes of its own, for tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("ENTREPOT_", "PYTHON"))}

GROUND = ("ENTREPOT_DATABASE_URL", "ENTREPOT_STORAGE_URL", "ENTREPOT_STORAGE_OPTIONS")
"""What a test's ground tells every site of. Not ENTREPOT_DOWNLOADS: clients of a server in a process of its own can follow links to the store."""


def process_environment() -> dict[str, str]:
    """The environment of a process of Entrepot's, on the ground of the test that runs."""
    return {**ENVIRONMENT, **{name: os.environ[name] for name in GROUND if name in os.environ}}


COMMAND = [sys.executable, "-m", "entrepot"]


@dataclass
class Running:
    """A server that answers."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def processes(self) -> set[int]:
        """Its processes that live."""
        return session_of(self.process.pid)


def session_of(leader: int) -> set[int]:
    """The living processes of a session, from Linux's /proc."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state not in "ZX":
                found.add(int(folder.name))
    return found


def eventually(condition: Callable[[], T], seconds: float = 20) -> T:
    """Wait for something that another process brings about."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.02)
    return value


@contextmanager
def serving(data: Path, *arguments: object, environment: Mapping[str, str] | None = None, command: Sequence[str] = COMMAND) -> Iterator[Running]:
    """A server on the data folder and a free port, from when it says that it serves."""
    command = [*command, "serve", "--data", str(data), "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=data.parent,
        env={**process_environment(), **(environment or {})},
        start_new_session=True,  # so that all of its processes can be found
    )
    with process:
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            assert re.match(rf"Entrepot serves {re.escape(str(data))} at https?://127\.0\.0\.1:", greeting), greeting
            yield Running(process, greeting.split()[-1])
        finally:
            end_session(process.pid)


def end_session(leader: int) -> None:
    """Leave none of a server's processes behind, also where the test failed."""
    for process in session_of(leader):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
