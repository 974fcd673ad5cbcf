"""What a site stands on: SQLite in its own folder, or a PostgreSQL server that is started for it, as durable as a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from databases import Databases
from object_store import ObjectStore
from postgres_server import PostgresServer

from bench.clock import cpu_of

ORDINARY = {"shared_buffers": "128MB", "autovacuum": "on", "checkpoint_timeout": "5min", "max_wal_size": "1GB"}
"""PostgreSQL's own defaults, where the tests' server has others."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A database and how to name it."""

    title: str
    settings: Mapping[str, str] = field(default_factory=dict)
    process: int | None = None
    """The process that all of the database's descend from; None where it runs in Entrepot's own."""

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the database's own processes have used, as far as they still run."""
        return 0.0 if self.process is None else sum(map(cpu_of, [self.process, *children(self.process)]))


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def sqlite() -> Iterator[Ground]:
    """Nothing to start."""
    yield Ground("SQLite")


@contextmanager
def postgres() -> Iterator[Ground]:
    """A server of its own, with everything on that makes it durable, and one empty database."""
    server = PostgresServer(durable=True, **ORDINARY)
    try:
        server.start()
        yield Ground("PostgreSQL", {"database_url": server.url(Databases(server).create())}, server.pid)
    finally:
        server.remove()


@contextmanager
def object_store() -> Iterator[Ground]:
    """A SeaweedFS server for the files, whose bytes pass through Entrepot; the database is SQLite."""
    with TemporaryDirectory(prefix="bench-") as folder:
        store = ObjectStore(Path(folder))
        try:
            store.start()
            place = store.place()
            options = json.dumps(place["storage_options"])
            yield Ground("SeaweedFS", {"storage_url": place["storage_url"], "storage_options": options, "downloads": "stream"})
        finally:
            store.kill()


GROUNDS: Mapping[str, Callable[[], AbstractContextManager[Ground]]] = {"sqlite": sqlite, "postgres": postgres}
