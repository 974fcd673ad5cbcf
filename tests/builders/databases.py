"""Databases on a PostgreSQL server of the tests' own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from itertools import count
from typing import Any, TypeVar

import asyncpg
from postgres_server import PostgresServer, shared_server

T = TypeVar("T")

STATE = """SELECT (SELECT array_agg(app || ' ' || name ORDER BY app, name) FROM tortoise_migrations) AS migrations,
    (SELECT array_agg(relname || ' ' || relkind::text ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS relations,
    (SELECT array_agg(concat_ws(' ', attrelid::regclass, attname, atttypid) ORDER BY attrelid::regclass::text, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS columns,
    (SELECT array_agg(tgname || ' ' || tgenabled::text ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
    (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384) AS statistics, (SELECT count(*) FROM pg_db_role_setting) AS settings"""
"""What a database is like, apart from its rows."""
ROWS = """SELECT string_agg(CASE relkind WHEN 'r' THEN format('DELETE FROM %I', relname) ELSE format('SELECT setval(%L, 1, false)', relname) END, ';')
    FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'tortoise_migrations%'"""
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
MOST_WASTED = 4 << 20
"""Bytes that removed rows may take before a database is thrown away: nothing clears them up, and every scan would meet them."""


class Databases:
    """Databases on a running server, each made as a copy of a template, which takes the better part of a test's time: so they are lent."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._connection: asyncpg.Connection = self._wait(asyncpg.connect(server.url()))
        self._readers: dict[str, asyncpg.Connection] = {}
        self._numbers = count(1)
        self._free: dict[str, list[str]] = {}
        """By template: databases that are as it is."""
        self._templates: dict[str, tuple[tuple[object, ...], int, str]] = {}
        """What each template is like, its size, and what empties a copy."""

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on a loop of its own: fixtures come by with and without one."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def create(self, template: str = "template0") -> str:
        """A new database; answers its name."""
        name = f"test{next(self._numbers)}"
        self._wait(self._connection.execute(f'CREATE DATABASE {name} TEMPLATE "{template}" STRATEGY file_copy'))
        return name

    def lend(self, template: str) -> str:
        """A database that is like a template with tables and no rows; answers its name."""
        if template not in self._templates:
            self._templates[template] = self._wait(self._described(template))
        free = self._free.setdefault(template, [])
        return free.pop() if free else self.create(template)

    def give_back(self, name: str, template: str) -> None:
        """Empty a database for the next one who wants it; one that is not as it was is removed."""
        if self._wait(self._emptied(name, *self._templates[template])):
            self._free[template].append(name)
        else:
            self.drop(name)

    async def _described(self, template: str) -> tuple[tuple[object, ...], int, str]:
        connection = await asyncpg.connect(self._server.url(template))
        try:
            state, size = tuple(await connection.fetchrow(STATE)), await connection.fetchval("SELECT pg_database_size($1)", template)
            return state, size, await connection.fetchval(ROWS)
        finally:
            await connection.close()  # nothing is copied from a database that somebody is in

    async def _emptied(self, name: str, state: tuple[object, ...], size: int, rows: str) -> bool:
        connection = await self._reader(name)
        while await connection.fetch(OTHERS):  # noqa: ASYNC110  # a backend that ends tells nobody
            await asyncio.sleep(0.002)
        if tuple(await connection.fetchrow(STATE)) != state or await connection.fetchval("SELECT pg_database_size($1)", name) > size + MOST_WASTED:
            return False
        await connection.execute(f"SET session_replication_role = replica; {rows}; RESET session_replication_role")
        return True

    async def _reader(self, name: str) -> asyncpg.Connection:
        if name not in self._readers or self._readers[name].is_closed():
            self._readers[name] = await asyncpg.connect(self._server.url(name))
        return self._readers[name]

    def rows(self, name: str, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return [tuple(row) for row in self._wait(self._wait(self._reader(name)).fetch(statement))]

    def drop(self, name: str) -> None:
        """Remove a database, and throw out who is still in it."""
        if name in self._readers:
            self._wait(self._readers.pop(name).close())
        self._wait(self._connection.execute(f"DROP DATABASE {name} WITH (FORCE)"))

    def sessions(self, name: str) -> int:
        """How many connections a database has, beside those of this object."""
        own = [self._readers[name].get_server_pid()] if name in self._readers else []
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> ALL($2)"
        return int(self._wait(self._connection.fetchval(others, name, own)))


@cache
def shared_databases() -> Databases:
    """Databases on the one server of this process."""
    return Databases(shared_server())
