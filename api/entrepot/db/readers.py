"""The two ways to read fast, on the database that the settings name."""

from __future__ import annotations

from entrepot.db.connection import sqlite_path
from entrepot.db.lookup import Lookup, SqliteLookup
from entrepot.db.postgres_lookup import PostgresLookup
from entrepot.db.postgres_snapshot import PostgresSnapshots
from entrepot.db.snapshot import Snapshots, SqliteSnapshots
from entrepot.settings import Settings


def open_readers(settings: Settings) -> tuple[Lookup, Snapshots]:
    """The look-ups of the hot path and the snapshots of rendering. Closed by whoever opens them."""
    path = sqlite_path(settings)
    if path is None:
        return PostgresLookup(settings.database_url), PostgresSnapshots(settings.database_url)
    return SqliteLookup(path), SqliteSnapshots(path)
