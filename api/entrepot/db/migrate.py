"""Bringing the database to the state that this version of the program expects."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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

from entrepot.db.applied import is_current
from entrepot.db.connection import configuration, make_folders, opened, postgres_dsn
from entrepot.errors import SettingsError
from entrepot.hooks import Models
from entrepot.settings import Settings

log = structlog.get_logger(__name__)

ADVISORY_LOCK = 0x656E747265706F74
"""`entrepot`, as a number. Advisory locks belong to one database, so that several servers on one PostgreSQL do not wait for each other."""
PATIENT = {"statement_timeout": "0", "lock_timeout": "60s", "idle_in_transaction_session_timeout": "0"}
"""A migration of a big table may take its time, and so may planning it."""

BYTEWISE = """SELECT quote_ident(class.relname) AS "table", quote_ident(attribute.attname) AS "column",
        format_type(attribute.atttypid, attribute.atttypmod) AS "type"
    FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid JOIN pg_collation kept ON kept.oid = attribute.attcollation
    WHERE class.relkind IN ('r', 'p') AND class.relnamespace = current_schema()::regnamespace AND kept.collname <> 'C' AND NOT attribute.attisdropped
        AND attribute.attnum > 0 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE pg_depend.objid = class.oid AND pg_depend.deptype = 'e')
    ORDER BY class.relname, attribute.attnum"""
"""The columns that would compare texts by the customs of some language: orders, ranges and unique keys must be the same in every database."""


async def migrate(settings: Settings, apps: Sequence[Models] = ()) -> list[str]:
    """Apply what is missing; answers the names, as `label.0001_initial`, in the order in which they were applied.

    Safe to call from several processes at once: one works, the others wait and find nothing to do. Each migration and its record are one transaction.
    Raises SettingsError where the database was made by a newer version.
    """
    make_folders(settings)
    if await is_current(settings, apps):
        return []
    dsn = postgres_dsn(settings)
    async with AsyncExitStack() as stack:
        if dsn is None:
            await stack.enter_async_context(locked(settings.data / "migrate.lock"))
            await stack.enter_async_context(opened(settings, apps, everywhere=False, readers=0, foreign_keys="OFF"))
        else:
            await stack.enter_async_context(opened(settings, apps, everywhere=False, connections=2, session=PATIENT))
            await stack.enter_async_context(locked_database())
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


@asynccontextmanager
async def locked_database() -> AsyncIterator[None]:
    """Hold a lock in the open PostgreSQL database, of all hosts that use it, until this connection ends."""
    client = get_connection("default")
    async with client.acquire_connection() as connection:
        waited = 0
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ADVISORY_LOCK):
            if waited == 100:
                log.info("waiting for another host that migrates the database")
            waited += 1
            await asyncio.sleep(0.05)  # waiting inside the database could not be given up
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock_all()")


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
            await self._compare_bytewise(client)
            await MigrationRecorder(client).record_applied(key.app_label, key.name)
            await self._check_references(client)

    async def _compare_bytewise(self, client: BaseDBAsyncClient) -> None:
        """Let every text compare as its bytes do, which is what SQLite does by itself."""
        if client.capabilities.dialect != "postgres":
            return
        columns: dict[str, list[str]] = {}
        for row in (await client.execute_query(BYTEWISE))[1]:
            columns.setdefault(row["table"], []).append(f'ALTER COLUMN {row["column"]} TYPE {row["type"]} COLLATE "C"')
        for table, changes in columns.items():
            await client.execute_query(f"ALTER TABLE {table} {', '.join(changes)}")

    async def _check_references(self, client: BaseDBAsyncClient) -> None:
        """Rows that point nowhere: SQLite does not look while foreign keys are off, which rebuilding a table needs."""
        if client.capabilities.dialect == "sqlite":
            _, broken = await client.execute_query("PRAGMA foreign_key_check")
            if broken:
                raise OperationalError(f"rows of {broken[0]['table']} point to rows of {broken[0]['parent']} that do not exist")
