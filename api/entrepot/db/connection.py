"""Opening the database: where it is, with which engine, and for which models."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
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
    raise SettingsError("database_url must be empty, or begin with postgres:// or with sqlite:/// and the path of a file.")


def postgres_dsn(settings: Settings) -> str | None:
    """The URL of the PostgreSQL database, as asyncpg takes it; None where the database is SQLite. Raises SettingsError."""
    return settings.database_url if sqlite_path(settings) is None else None


def configuration(settings: Settings, apps: Sequence[Models], **credentials: Any) -> dict[str, Any]:
    """Tortoise's configuration: one connection, one app for the core's tables and one for each plugin's."""
    return {
        "connections": {"default": _engine(settings, credentials)},
        "apps": {app.label: {"models": [app.models], "migrations": app.migrations, "default_connection": "default"} for app in (CORE, *apps)},
    }


def _engine(settings: Settings, credentials: dict[str, Any]) -> dict[str, Any]:
    path = sqlite_path(settings)
    if path is None:
        connections = {"connections": settings.database_connections}
        return {"engine": "entrepot.db.postgres", "credentials": {"dsn": settings.database_url, **connections, **credentials}}
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
        except UNREACHABLE as error:
            raise unreachable(settings, error) from error
        yield


UNREACHABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError)
"""What comes of connecting with a wrong URL, to a server that is away, or to one that does not let us in."""


def unreachable(settings: Settings, error: BaseException) -> SettingsError:
    """Why PostgreSQL could not be connected to. Says neither the password nor anything that a typing error could have made of it."""
    url = settings.database_url.partition("?")[0]
    if isinstance(error, (ValueError, asyncpg.InterfaceError)) or "@" in url.partition("://")[2].partition("/")[2]:
        return SettingsError(
            "database_url is no URL that PostgreSQL takes: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, "
            "with %40 for an @ in the password, %2F for a slash, and so on."
        )
    parts = urlsplit(settings.database_url)
    host = parts.netloc.rpartition("@")[2] or ", ".join(parse_qs(parts.query).get("host", ["this machine"]))
    where = f"{host}, database {parts.path.strip('/') or '(none)'}"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return SettingsError(f"PostgreSQL at {where}: there is no such database. Create it with `createdb`, or change database_url.")
    if isinstance(error, asyncpg.PostgresError):
        return SettingsError(f"PostgreSQL at {where} refuses the connection: {error}. Check the user, the password and the database in database_url.")
    why = getattr(error, "strerror", None) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
    return SettingsError(f"PostgreSQL at {where} cannot be reached: {why}. Check that it runs, and the host and port in database_url.")


@asynccontextmanager
async def database(settings: Settings, apps: Sequence[Models] = ()) -> AsyncIterator[None]:
    """The open database, for every task of this process: a web server runs its start and its requests in different ones.

    Closes all connections on exit. One at a time; `migrate` may run inside. Raises SettingsError.
    """
    async with opened(settings, apps, everywhere=True):
        yield
