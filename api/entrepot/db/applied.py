"""Which migrations this program knows, and whether the database still has them: a database may be restored, or exchanged, below a running server."""

from __future__ import annotations

import pkgutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from importlib import import_module

import asyncpg

from entrepot.db.connection import CORE, UNREACHABLE, sqlite_path
from entrepot.db.sql import fetch
from entrepot.hooks import Models
from entrepot.settings import Settings

APPLIED = "SELECT app, name FROM tortoise_migrations"
PATIENCE = 5.0


def known_migrations(apps: Sequence[Models]) -> frozenset[tuple[str, str]]:
    """The label and the name of every migration of the core and of the plugins."""
    found = set()
    for app in (CORE, *apps):
        module = import_module(app.migrations)
        found |= {(app.label, one.name) for one in pkgutil.iter_modules(module.__path__) if not one.ispkg and one.name[0] not in "_~"}
    return frozenset(found)


async def missing_migrations(known: frozenset[tuple[str, str]]) -> list[str]:
    """What is known and not applied. What a newer version has applied is none of it: during an upgrade, old servers go on. Raises Unavailable."""
    applied = {(row["app"], row["name"]) for row in await fetch(APPLIED)}
    return sorted(f"{label}.{name}" for label, name in known - applied)


async def is_current(settings: Settings, apps: Sequence[Models]) -> bool:
    """Whether a database that nobody here has opened yet has every migration that this program knows, and none of a newer version.

    It is asked beside Tortoise, whose preparations take most of a command's time. False also where it does not answer: why is for others to find out.
    """
    labels = {app.label for app in (CORE, *apps)}
    return {one for one in await _applied(settings) if one[0] in labels} == known_migrations(apps)


async def _applied(settings: Settings) -> set[tuple[str, str]]:
    path = sqlite_path(settings)
    if path is not None:
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE)) as connection:
            return {(str(app), str(name)) for app, name in connection.execute(APPLIED)}
        return set()
    with suppress(*UNREACHABLE):
        connection = await asyncpg.connect(settings.database_url, timeout=PATIENCE)
        try:
            return {(row["app"], row["name"]) for row in await connection.fetch(APPLIED, timeout=PATIENCE)}
        finally:
            await connection.close(timeout=PATIENCE)
    return set()
