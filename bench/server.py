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
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import httpx

from bench import load

NAMESPACE = "bench"
ROOT = Path(__file__).parents[1]
BUILD = Path(gettempdir())


@dataclass(frozen=True, slots=True)
class Process:
    """A running server."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far, in nanosecond steps (`/proc/<pid>/stat` counts in 10 ms). Linux makes a process's clock id from its pid."""
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1e9

    def memory(self, field: str) -> float:
        """A field of `/proc/<pid>/status` (VmRSS, VmHWM) in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))

    def forget_peak(self) -> None:
        """Let VmHWM start anew from what is held now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@dataclass(frozen=True, slots=True)
class Entrepot(Process):
    """A running Entrepot and a client of it that may upload."""

    data: Path
    token: str
    client: httpx.Client

    def put(self, basename: str, body: bytes) -> bytes:
        """An upload as it goes over the wire."""
        return load.request("PUT", f"/upload/{NAMESPACE}/{basename}", {"Authorization": f"token {self.token}"}, body)

    def upload(self, packages: Iterable[tuple[str, bytes]], *, connections: int = 4) -> load.Outcome:
        """Upload packages; each must be taken."""
        return load.send(self.port, [self.put(*package) for package in packages], connections=connections).expect(201)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A GET that must succeed."""
        return self.client.get(path, headers=headers).raise_for_status()


@contextmanager
def entrepot() -> Iterator[Entrepot]:
    """Serve an empty data folder; it lies in `build/`, so that its disk is one that people use, and no tmpfs."""
    command = [str(Path(sys.executable).with_name("entrepot"))]
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        port = free_port()
        with process([*command, "serve", "--data", folder, "--port", str(port)], port) as pid:
            given = ["--data", folder]
            run([*command, "user", "create", NAMESPACE, "--password-stdin", *given], "a password of the bench")
            token = run([*command, "token", "create", NAMESPACE, "--name", "bench", *given]).strip()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Accept-Encoding": "identity"}, timeout=120) as client:
                yield Entrepot(pid, port, Path(folder), token, client)


@contextmanager
def peer(body: bytes, headers: Mapping[str, str]) -> Iterator[Process]:
    """Serve a body with its headers by a bare Starlette route at `/`."""
    port = free_port()
    with TemporaryDirectory() as folder:
        Path(folder, "body").write_bytes(body)
        Path(folder, "headers.json").write_text(json.dumps(dict(headers)))
        with process([sys.executable, "-m", "bench.peer", str(port), folder], port) as pid:
            yield Process(pid, port)


@contextmanager
def process(command: Sequence[str], port: int) -> Iterator[int]:
    """Run a server from when it answers to the end of the block."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "ENTREPOT_LOG_LEVEL": "warning"}) as running:
        try:
            wait(running, port, command[0])
            yield running.pid
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)


def wait(running: subprocess.Popen[bytes], port: int, name: str) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + 60
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


def run(command: Sequence[str], typed: str = "") -> str:
    """A command's output; what it says besides is shown only if it failed."""
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout
