"""The servers beside each other: Entrepot, and from the package index pypiserver, devpi-server and simple-repository-server.

Each peer has an environment and a process of its own, and runs as its own manual has it, without a mirror of anything; pypiserver under waitress.
"""

from __future__ import annotations

import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpx
from real_client import environment, tool_environment

from bench import load
from bench.packages import wheel
from bench.pypi import form
from bench.rates import JSON
from bench.server import NAMESPACE, Entrepot, Process, client, free_port, process, site

RELEASES = 10
"""Of each project."""
HTML = "text/html"
APP = Path(__file__).with_name("pypiserver_app.py")
PATIENCE = 300
"""Seconds: devpi-server derives a secret at each start, by seconds of CPU and half a gigabyte of memory."""
LINK = re.compile(r'href="([^"#]+\.whl)[#"]')


@dataclass(frozen=True, slots=True)
class Rival:
    """A running server, as installers and publishers see it."""

    title: str
    process: Process
    root: str
    """The path of the page that lists the projects."""
    started: float
    """Seconds from its start to its first answer."""
    uploading: Callable[[tuple[str, bytes]], bytes] | None = None
    """The request that uploads a file, where it takes any."""
    accepts: Mapping[str, str] = field(default_factory=lambda: {"JSON": JSON, "HTML": HTML})
    """The forms of a page, and what asks for them."""

    def page(self, project: str) -> str:
        """The path of a project's page."""
        return f"{self.root}{project}/"

    def upload(self, packages: Sequence[tuple[str, bytes]], *, connections: int = 4) -> load.Outcome:
        """Upload them; each must be taken."""
        assert self.uploading is not None
        return load.send(self.process.port, [self.uploading(package) for package in packages], connections=connections).expect(200)

    def get(self, path: str, accept: str = HTML) -> httpx.Response:
        """A GET that must succeed."""
        with client(self.process.port) as asking:
            return asking.get(path, headers={"Accept": accept}).raise_for_status()

    def files(self, project: str) -> list[str]:
        """The paths of a project's files, by their links."""
        page = self.page(project)
        return [urljoin(page, link).split("127.0.0.1", 1)[-1].lstrip(":0123456789") for link in LINK.findall(self.get(page).text)]


def stock(count: int) -> Iterator[tuple[str, bytes]]:
    """So many wheels, ten of each project."""
    return (wheel(f"package{at // RELEASES}", f"1.{at % RELEASES}") for at in range(count))


@contextmanager
def entrepot(folder: Path) -> Iterator[Rival]:
    """Ours; durable, with every file validated."""
    with site() as one:
        began = time.perf_counter()
        with one.serving() as server:
            yield ours(server, time.perf_counter() - began)


def ours(server: Entrepot, started: float) -> Rival:
    """A server of ours as a rival."""

    def uploading(package: tuple[str, bytes]) -> bytes:
        return form.upload(f"/pypi/{NAMESPACE}/legacy/", package, "__token__", server.token)

    return Rival("Entrepot", server, f"/pypi/{NAMESPACE}/simple/", started, uploading)


def pypiserver(backend: str) -> Callable[[Path], object]:
    """pypiserver with one of its backends."""

    @contextmanager
    def serving(folder: Path) -> Iterator[Rival]:
        python = tool_environment(folder.parent / "pypiserver", "pypiserver[cache]", "waitress")
        files = folder / "files"
        files.mkdir(parents=True)
        port = free_port()
        with running([str(python), str(APP), str(port), str(files), backend], port, folder) as (one, started):
            title = "pypiserver" if backend == "simple-dir" else "pypiserver with its cache"
            yield Rival(title, one, "/simple/", started, lambda package: form.upload("/", package), {"HTML": HTML})

    return serving


@contextmanager
def devpi(folder: Path) -> Iterator[Rival]:
    """devpi-server with one index that inherits from none."""
    bin_ = tool_environment(folder.parent / "devpi", "devpi-server").parent
    data, port = folder / "data", free_port()
    folder.mkdir(parents=True)
    init = [str(bin_ / "devpi-init"), "--serverdir", str(data), "--root-passwd", "bench", "--no-root-pypi"]
    subprocess.run(init, env=environment(folder), check=True, capture_output=True)
    serve = [str(bin_ / "devpi-server"), "--serverdir", str(data), "--host", "127.0.0.1", "--port", str(port), "--offline-mode"]
    with running(serve, port, folder) as (one, started), client(port) as asking:
        token = asking.post("/+login", json={"user": "root", "password": "bench"}).raise_for_status().json()["result"]["password"]
        login = {"X-Devpi-Auth": b64encode(f"root:{token}".encode()).decode()}
        asking.put("/root/bench", json={"type": "stage", "bases": [], "volatile": True}, headers=login).raise_for_status()
        yield Rival("devpi-server", one, "/root/bench/+simple/", started, lambda package: form.upload("/root/bench/", package, "root", token))


@contextmanager
def simple_repository(folder: Path) -> Iterator[Rival]:
    """simple-repository-server on a folder that has what a folder is to have: it takes no uploads."""
    bin_ = tool_environment(folder.parent / "simple-repository-server", "simple-repository-server").parent
    files, port = folder / "files", free_port()
    files.mkdir(parents=True)
    serve = [str(bin_ / "simple-repository-server"), "--host", "127.0.0.1", "--port", str(port), str(files)]
    with running(serve, port, folder) as (one, started):
        yield Rival("simple-repository-server", one, "/simple/", started)


@contextmanager
def running(command: Sequence[str], port: int, folder: Path) -> Iterator[tuple[Process, float]]:
    """A peer without this machine's configuration, and how long it took until it answered; what it says goes to a file."""
    quiet = ["sh", "-c", 'exec "$@" > "$0" 2>&1', str(folder / "log"), *command]
    began = time.perf_counter()
    with ExitStack() as stack:
        try:
            pid = stack.enter_context(process(quiet, port, environment(folder / "home"), patience=PATIENCE))
        except SystemExit as error:
            raise SystemExit(f"{command[0]} did not start.\n{(folder / 'log').read_text()[-2000:]}") from error
        yield Process(pid, port), time.perf_counter() - began


def fill(rival: Rival, folder: Path, count: int) -> None:
    """Give a server its stock: as files where it reads a folder, by uploads else."""
    files = folder / "files"
    if not files.exists():
        rival.upload(list(stock(count)))
        return
    for basename, body in stock(count):
        place = files / basename.partition("-")[0] if rival.uploading is None else files
        place.mkdir(exist_ok=True)
        (place / basename).write_bytes(body)
