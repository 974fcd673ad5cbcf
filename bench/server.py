"""A real `entrepot serve` on an empty data folder, with a user and a token, and what the kernel knows of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import httpx

from bench import load
from bench.clock import cpu_of
from bench.ground import Ground

NAMESPACE = "bench"
ROOT = Path(__file__).parents[1]
BUILD = Path(gettempdir())
SQLITE = Ground("SQLite")
COMMAND = (str(Path(sys.executable).with_name("entrepot")),)


@dataclass(frozen=True, slots=True)
class Process:
    """A running server."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return cpu_of(self.pid)

    def memory(self, field: str) -> float:
        """A field of `/proc/<pid>/status` (VmRSS, VmHWM) in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))

    def memories(self) -> tuple[float, float]:
        """VmRSS and VmHWM: what is held now, and the most that was."""
        return self.memory("VmRSS"), self.memory("VmHWM")

    def forget_peak(self) -> None:
        """Let VmHWM start anew from what is held now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@dataclass(frozen=True, slots=True)
class Entrepot(Process):
    """A running Entrepot and a client of it that may upload."""

    data: Path
    token: str
    client: httpx.Client
    ground: Ground

    def put(self, basename: str, body: bytes, size: int | None = None) -> bytes:
        """An upload as it goes over the wire; with a size, only what stands before a body of that size."""
        return load.request("PUT", f"/upload/{NAMESPACE}/{basename}", {"Authorization": f"token {self.token}"}, body, size)

    def upload(self, packages: Iterable[tuple[str, bytes]], *, connections: int = 4) -> load.Outcome:
        """Upload packages; each must be taken."""
        return load.send(self.port, [self.put(*package) for package in packages], connections=connections).expect(201)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A GET that must succeed."""
        return self.client.get(path, headers=headers).raise_for_status()


@contextmanager
def entrepot(ground: Ground = SQLITE, **settings: str) -> Iterator[Entrepot]:
    """Serve a new site; `settings` are those of the program."""
    with site(ground, **settings) as one, one.serving() as server:
        yield server


@dataclass(frozen=True, slots=True)
class Site:
    """A data folder with a user who has a token; nobody serves it yet."""

    data: Path
    token: str
    environment: Mapping[str, str]
    ground: Ground

    @contextmanager
    def serving(self, *command: str) -> Iterator[Entrepot]:
        """Serve it from when it answers to the end of the block; `command` stands in for `entrepot`."""
        port = free_port()
        serve = [*(command or COMMAND), "serve", "--data", str(self.data), "--port", str(port)]
        with process(serve, port, self.environment) as pid, client(port) as asking:
            yield Entrepot(pid, port, self.data, self.token, asking, self.ground)

    def without(self, setting: str) -> Site:
        """The same, with a setting left out."""
        return replace(self, environment={name: value for name, value in self.environment.items() if name != f"ENTREPOT_{setting.upper()}"})

    def stock(self, count: int) -> None:
        """Fill it with so many conda packages (`bench.stock`)."""
        run([sys.executable, "-m", "bench.stock", NAMESPACE, str(count)], environment=self.environment)


@contextmanager
def site(ground: Ground = SQLITE, **settings: str) -> Iterator[Site]:
    """A new site in the temporary folder, whose disk should be one that people use, and no tmpfs."""
    with TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        environment = {"ENTREPOT_DATA": folder, **{f"ENTREPOT_{name.upper()}": value for name, value in {**ground.settings, **settings}.items()}}
        run([*COMMAND, "user", "create", NAMESPACE, "--password-stdin"], "a password of the bench", environment=environment)
        token = run([*COMMAND, "token", "create", NAMESPACE, "--name", "bench"], environment=environment).strip()
        yield Site(Path(folder), token, environment, ground)


def client(port: int) -> httpx.Client:
    """A client of a server on this machine."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Accept-Encoding": "identity"}, timeout=120)


@contextmanager
def peer(body: bytes, headers: Mapping[str, str]) -> Iterator[Process]:
    """Serve a body with its headers by a bare Starlette route at `/`."""
    with TemporaryDirectory() as folder:
        Path(folder, "body").write_bytes(body)
        Path(folder, "headers.json").write_text(json.dumps(dict(headers)))
        with module("bench.peer", folder) as one:
            yield one


@contextmanager
def module(name: str, folder: str) -> Iterator[Process]:
    """Run a server of the bench's own: `python -m NAME PORT FOLDER`."""
    port = free_port()
    with process([sys.executable, "-m", name, str(port), folder], port) as pid:
        yield Process(pid, port)


@contextmanager
def process(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None, *, patience: float = 60) -> Iterator[int]:
    """Run a server from when it answers, within so many seconds, to the end of the block."""
    variables = {**os.environ, "ENTREPOT_LOG_LEVEL": "warning", **(environment or {})}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=variables) as running:
        try:
            wait(running, port, command[0], patience)
            yield running.pid
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)


def wait(running: subprocess.Popen[bytes], port: int, name: str, patience: float) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and running.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=60)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{name} did not start; what it said stands above.")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: Sequence[str], typed: str = "", *, environment: Mapping[str, str]) -> str:
    """A command's output; what it says besides is shown only if it failed."""
    variables = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, input=typed, capture_output=True, text=True, check=False, env=variables)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout
