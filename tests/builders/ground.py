"""What a test's sites stand on: SQLite and a folder, or PostgreSQL and an S3 server.

A ground is told to a site by `ENTREPOT_*` in the environment, as an operator would tell it, so that it reaches sites in this process and in others.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from entrepot.db.migrate import migrate
from entrepot.settings import Settings
from postgres_server import shared_databases, shared_server

GROUNDS = ("folder", "fleet")


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
            path.mkdir()
            return path
        return Path(shutil.copytree(migrated_folder(), path))


@contextmanager
def laid(name: str) -> Iterator[Ground]:
    """A fresh ground, to which the environment points for as long as it lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in [variable for variable in os.environ if variable.startswith("ENTREPOT_")]:
            patch.delenv(variable)
        if name == "folder":
            yield Ground(name, {})
            return
        databases = shared_databases()
        database = databases.create(migrated_database())
        try:
            ground = Ground(name, {"ENTREPOT_DATABASE_URL": shared_server().url(database)})
            for variable, value in ground.environment.items():
                patch.setenv(variable, value)
            yield ground
        finally:
            databases.drop(database)


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
