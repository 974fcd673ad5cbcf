"""Bringing the database to the state that this version of the program expects."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor import BaseSchemaEditor, SqliteSchemaEditor
from tortoise.migrations.schema_generator.state import State
from tortoise.transactions import in_transaction

from entrepot.db.connection import configuration, make_folders, opened
from entrepot.errors import SettingsError
from entrepot.hooks import Models
from entrepot.settings import Settings

log = structlog.get_logger(__name__)


async def migrate(settings: Settings, apps: Sequence[Models] = ()) -> list[str]:
    """Apply what is missing; answers the names, as `label.0001_initial`, in the order in which they were applied.

    Safe to call from several processes at once: one works, the others wait and find nothing to do. Each migration and its record are one transaction.
    Raises SettingsError where the database was made by a newer version.
    """
    make_folders(settings)
    async with locked(settings.data / "migrate.lock"), opened(settings, apps, everywhere=False, readers=0, foreign_keys="OFF"):
        executor = Executor(get_connection("default"), configuration(settings, apps)["apps"])
        return [f"{key.app_label}.{key.name}" for key in await executor.run()]


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold a lock that the operating system takes back when the process dies."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    try:
        waited = 0
        while not _try_lock(handle):
            if waited == 100:
                log.info("waiting for another process that migrates the database")
            waited += 1
            await asyncio.sleep(0.05)  # a lock taken in a thread could not be given up on cancellation
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def statements(script: str) -> Iterator[str]:
    """The statements of a script. A semicolon in a comment, a string or a trigger ends none."""
    gathered = ""
    for piece in script.split(";"):
        gathered += piece + ";"
        if sqlite3.complete_statement(gathered):
            if gathered.strip(" \t\r\n;"):
                yield gathered.strip()
            gathered = ""


class SchemaEditor(SqliteSchemaEditor):
    """Tortoise's own cuts scripts at every semicolon, also at those in the comments that it makes of docstrings."""

    async def _run_sql(self, sql: str) -> None:
        if self.collect_sql:
            await super()._run_sql(sql)
            return
        for statement in statements(sql):
            await self.client.execute_query(statement)


class Executor(MigrationExecutor):
    """Tortoise's executor, forward only, with the record of a migration in the migration's own transaction."""

    def _schema_editor(self, atomic: bool = True, collect_sql: bool = False) -> BaseSchemaEditor:
        if self.connection.capabilities.dialect == "sqlite":
            return SchemaEditor(self.connection, atomic=atomic, collect_sql=collect_sql)
        return super()._schema_editor(atomic, collect_sql)

    async def run(self) -> list[MigrationKey]:
        """Apply every migration that this code knows and the database has not seen."""
        await self.recorder.ensure_schema(self._schema_editor(atomic=False))
        await self.loader.build_graph()
        applied = set(self.loader.applied_migrations)
        self._refuse_newer(applied)
        plan = self._migration_plan(None, applied, self.loader.graph)
        done: list[MigrationKey] = []
        if not plan:  # projecting the state takes half a second, which a start with nothing to do need not spend
            return done
        state = await self._project_state(applied)
        for step in plan:
            key = MigrationKey(app_label=step.migration.app_label, name=step.migration.name)
            await self._apply(step.migration, state, key)
            log.info("migration applied", migration=f"{key.app_label}.{key.name}")
            done.append(key)
        return done

    def _refuse_newer(self, applied: set[MigrationKey]) -> None:
        """The tables of a plugin that is not installed any more are left alone; those of this code must not be ahead of it."""
        unknown = sorted(f"{key.app_label}.{key.name}" for key in applied - set(self.loader.graph.nodes) if key.app_label in self.loader.apps_config)
        if unknown:
            raise SettingsError(
                f"The database was made by a newer version of Entrepot or of a plugin: it has {', '.join(unknown)}. "
                "Install that version, or start from a backup that was made before."
            )

    async def _apply(self, migration: Migration, state: State, key: MigrationKey) -> None:
        async with in_transaction("default") as client:
            editor = self._schema_editor()
            editor.client = client
            await migration.apply(state, schema_editor=editor)
            await MigrationRecorder(client).record_applied(key.app_label, key.name)
            await self._check_references(client)

    async def _check_references(self, client: BaseDBAsyncClient) -> None:
        """Rows that point nowhere: SQLite does not look while foreign keys are off, which rebuilding a table needs."""
        if client.capabilities.dialect == "sqlite":
            _, broken = await client.execute_query("PRAGMA foreign_key_check")
            if broken:
                raise OperationalError(f"rows of {broken[0]['table']} point to rows of {broken[0]['parent']} that do not exist")
