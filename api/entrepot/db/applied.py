"""Which migrations this program knows, and whether the database still has them: a database may be restored, or exchanged, below a running server."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from entrepot.db.connection import CORE
from entrepot.db.sql import fetch
from entrepot.hooks import Models


def known_migrations(apps: Sequence[Models]) -> frozenset[tuple[str, str]]:
    """The label and the name of every migration of the core and of the plugins."""
    found = set()
    for app in (CORE, *apps):
        module = import_module(app.migrations)
        found |= {(app.label, one.name) for one in pkgutil.iter_modules(module.__path__) if not one.ispkg and one.name[0] not in "_~"}
    return frozenset(found)


async def missing_migrations(known: frozenset[tuple[str, str]]) -> list[str]:
    """What is known and not applied. What a newer version has applied is none of it: during an upgrade, old servers go on. Raises Unavailable."""
    applied = {(row["app"], row["name"]) for row in await fetch("SELECT app, name FROM tortoise_migrations")}
    return sorted(f"{label}.{name}" for label, name in known - applied)
