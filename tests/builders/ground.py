"""What a test's sites stand on: SQLite and a folder, or PostgreSQL and an S3 server.

A ground is told to a site by `ENTREPOT_*` in the environment, as an operator would tell it, so that it reaches sites in this process and in others.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from databases import shared_databases
from entrepot.db.migrate import migrate
from entrepot.settings import Settings
from object_store import shared_store
from postgres_server import shared_server
from tortoise.backends.base.executor import EXECUTOR_CACHE

GROUNDS = ("folder", "fleet")
on_folder = pytest.mark.parametrize("ground", ["folder"], indirect=True)
"""For what is about the data folder itself."""
on_fleet = pytest.mark.parametrize("ground", ["fleet"], indirect=True)
"""For what is about PostgreSQL itself."""


@dataclass(frozen=True)
class Ground:
    """Where sites put what they keep."""

    name: str
    environment: Mapping[str, str]
    """What tells a site of it."""

    @property
    def is_folder(self) -> bool:
        """Whether everything lies in the data folder."""
        return self.name == "folder"

    def data(self, path: Path) -> Path:
        """A data folder at the path, whose database has every table of the core and no row."""
        if not self.is_folder:
            path.mkdir(exist_ok=True)
            return path
        return Path(shutil.copytree(migrated_folder(), path, dirs_exist_ok=True))

    def rows(self, data: Path, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, read beside every site, as of now."""
        if not self.is_folder:
            return shared_databases().rows(self.database, statement)
        with closing(sqlite3.connect(data / "entrepot.sqlite3", timeout=30)) as connection:
            return connection.execute(statement).fetchall()

    @property
    def database(self) -> str:
        """The name of the PostgreSQL database."""
        return self.environment["ENTREPOT_DATABASE_URL"].rpartition("/")[2]


@contextmanager
def laid(name: str) -> Iterator[Ground]:
    """A fresh ground, to which the environment points for as long as it lasts."""
    with pytest.MonkeyPatch.context() as patch:
        EXECUTOR_CACHE.clear()  # Tortoise keeps statements by the connection's name: those of the other ground's dialect
        for variable in [variable for variable in os.environ if variable.startswith("ENTREPOT_")]:
            patch.delenv(variable)
        if name == "folder":
            yield Ground(name, {})
            return
        databases = shared_databases()
        template = migrated_database()
        database = databases.lend(template)
        try:
            ground = Ground(name, {"ENTREPOT_DATABASE_URL": shared_server().url(database), **shared_store().environment()})
            for variable, value in ground.environment.items():
                patch.setenv(variable, value)
            yield ground
        finally:
            databases.give_back(database, template)


@cache
def migrated_folder() -> Path:
    """A data folder with every table of the core and no row, to copy."""
    folder = Path(tempfile.mkdtemp(prefix="entrepot-migrated-")) / "data"
    atexit.register(shutil.rmtree, folder.parent)
    _migrate(Settings(data=folder, database_url=""))
    return folder


@cache
def migrated_database() -> str:
    """The same in PostgreSQL; answers its name."""
    database = shared_databases().create()
    with tempfile.TemporaryDirectory() as folder:
        _migrate(Settings(data=Path(folder), database_url=shared_server().url(database)))
    return database


def _migrate(settings: Settings) -> None:
    """In a thread, for there may be a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(migrate(settings))).result()
