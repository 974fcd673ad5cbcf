"""Opening the database: where it is, with which engine, and for which models."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tortoise.connection import get_connection
from tortoise.context import TortoiseContext

from entrepot.errors import SettingsError
from entrepot.hooks import Models
from entrepot.settings import Settings

CORE = Models(label="models", models="entrepot.db.models", migrations="entrepot.db.migrations")
"""The core's own tables."""


def sqlite_path(settings: Settings) -> Path | None:
    """The file of the SQLite database; None where the database is not SQLite. Raises SettingsError for a URL that means neither."""
    url = settings.database_url
    if not url:
        return settings.database_path
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.strip("/"):
        return Path("/" + unquote(rest).lstrip("/")) if rest.startswith("/") else Path(unquote(rest))
    if scheme in ("postgres", "postgresql"):
        return None
    raise SettingsError("database_url must be empty or begin with sqlite:/// and the path of a file.")


def configuration(settings: Settings, apps: Sequence[Models], **credentials: Any) -> dict[str, Any]:
    """Tortoise's configuration: one connection, one app for the core's tables and one for each plugin's."""
    return {
        "connections": {"default": _engine(settings, credentials)},
        "apps": {app.label: {"models": [app.models], "migrations": app.migrations, "default_connection": "default"} for app in (CORE, *apps)},
    }


def _engine(settings: Settings, credentials: dict[str, Any]) -> dict[str, Any]:
    path = sqlite_path(settings)
    if path is None:
        raise SettingsError("PostgreSQL comes with a later version; leave database_url empty to use SQLite in the data folder.")
    return {"engine": "entrepot.db.sqlite", "credentials": {"file_path": str(path), **credentials}}


def make_folders(settings: Settings) -> None:
    """Create the data folder, and the one of the database where that lies elsewhere. Others on the machine may not look inside."""
    path = sqlite_path(settings)
    for folder in (settings.data, *([path.parent] if path else [])):
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"The folder {folder} cannot be created: {error.strerror}. Choose another one with --data.") from error


@asynccontextmanager
async def opened(settings: Settings, apps: Sequence[Models], *, everywhere: bool, **credentials: Any) -> AsyncIterator[None]:
    """An open database for this task and the ones it starts; `everywhere`: for every task of the process."""
    config = configuration(settings, apps, **credentials)
    make_folders(settings)
    async with TortoiseContext() as context:
        await context.init(config=config, _enable_global_fallback=everywhere)
        try:
            await get_connection("default").create_connection(with_db=True)
        except sqlite3.Error as error:
            raise SettingsError(f"The database {sqlite_path(settings)} cannot be opened: {error}.") from error
        yield


@asynccontextmanager
async def database(settings: Settings, apps: Sequence[Models] = ()) -> AsyncIterator[None]:
    """The open database, for every task of this process: a web server runs its start and its requests in different ones.

    Closes all connections on exit. One at a time; `migrate` may run inside. Raises SettingsError.
    """
    async with opened(settings, apps, everywhere=True):
        yield
