"""Snapshots on PostgreSQL: transactions that see one moment, on connections of their own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import asyncpg

from entrepot.db import snapshot
from entrepot.db.lookup import UNREADABLE
from entrepot.db.postgres import ANSWER_WITHIN, CONNECT_WITHIN, PASSING, Connection, server_settings, session
from entrepot.db.snapshot import (
    CHANGED,
    MOST_PARTS,
    PRIVATE,
    PRIVATE_OF,
    SHARDS,
    DocumentRead,
    PartRows,
    StoredShard,
    document_changed_at,
    grouping_of,
    latest,
    statement_for,
    with_gone,
)
from entrepot.errors import NotFound
from entrepot.outages import database_unavailable

MOST_AT_ONCE = 4
"""Renderings read one document after another anyway: a thread makes them."""


@cache
def _numbered(statement: str) -> str:
    """A statement with PostgreSQL's placeholders for SQLite's, and its empty bytes."""
    count = 0

    def dollar(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${match[1] or count}"

    return re.sub(r"\?(\d*)", dollar, statement).replace("x''", "''::bytea")


_head, _changed, _private, _shards = map(_numbered, (snapshot.HEAD, CHANGED, PRIVATE, SHARDS))
_part_changed_at = _numbered(snapshot.PART_CHANGED_AT)
_private_of = _numbered(PRIVATE_OF).format(some="AND binding.name = ANY($3::text[])")


class PostgresSnapshots:
    """Snapshots on PostgreSQL."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def document(
        self, head_id: int, representation: str | None, since: int | None, withdrawn_under: str | None = None, *, only_names: bool = False
    ) -> DocumentRead:
        """See Snapshots."""
        async with self._snapshot() as connection:
            *where, generation, pruned = await self._head(connection, head_id)
            if since is not None and since >= pruned:
                names = [row[0] for row in await connection.fetch(_changed, head_id, since)]
                if len(names) <= MOST_PARTS:
                    found = await self._entries(connection, where, representation, names, withdrawn_under, only_names) if names else {}
                    return DocumentRead(generation, False, with_gone(found, names))
            return DocumentRead(generation, True, await self._entries(connection, where, representation, None, withdrawn_under, only_names))

    async def part(self, head_id: int, part: str, representation: str | None, withdrawn_under: str | None = None) -> DocumentRead:
        """See Snapshots."""
        async with self._snapshot() as connection:
            *where, generation, _ = await self._head(connection, head_id)
            return DocumentRead(generation, False, await self._entries(connection, where, representation, [part], withdrawn_under))

    async def shards(self, head_id: int, representation: str, parts: Sequence[str] | None) -> Mapping[str, StoredShard]:
        """See Snapshots."""
        async with self._snapshot() as connection:
            some = "" if parts is None else "AND part = ANY($3::text[])"
            rows = await connection.fetch(_shards.format(some=some), head_id, representation, *([] if parts is None else [list(parts)]))
            return {part: StoredShard(*shard) for part, *shard in rows}

    async def changed_at(self, head_id: int, part: str | None, audience: Sequence[int]) -> int:
        """See Snapshots."""
        async with self._snapshot() as connection:
            if part is not None:
                return latest(*await connection.fetchrow(_part_changed_at, head_id, part))
            return latest(*await connection.fetchrow(document_changed_at(audience).replace("?1", "$1"), head_id))

    def close(self) -> None:
        """See Snapshots."""
        if self._pool is not None:
            self._pool.terminate()

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Any]:
        try:
            pool = self._pool or await self._open()
            async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        except PASSING as error:
            raise database_unavailable(UNREADABLE) from error

    async def _open(self) -> asyncpg.Pool:
        """The pool, which connects when it is needed."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=MOST_AT_ONCE,
                    connection_class=Connection,
                    timeout=CONNECT_WITHIN,
                    command_timeout=ANSWER_WITHIN,
                    server_settings=session(self._dsn, {**server_settings, "application_name": "entrepot renderings"}),
                )
            return self._pool

    async def _head(self, connection: Any, head_id: int) -> tuple[int, str, str, str, int, int]:
        head = await connection.fetchrow(_head, head_id)
        if head is None:
            raise NotFound("This index is no more.")
        return tuple(head)

    async def _entries(
        self,
        connection: Any,
        where: Sequence[Any],
        representation: str | None,
        names: Sequence[str] | None,
        withdrawn_under: str | None,
        only_names: bool = False,
    ) -> dict[str, PartRows]:
        namespace_id, type, label, document = where
        if names is None:
            private = {row[0] for row in await connection.fetch(_private, namespace_id)}
        else:
            private = {row[0] for row in await connection.fetch(_private_of, namespace_id, type, list(names))}
        statement = statement_for(representation, label, withdrawn_under, only_names=only_names)
        numbered = _numbered(statement).format(some="" if names is None else "AND entry.part = ANY($6::text[])")
        rows = await connection.fetch(numbered, namespace_id, label, type, document, representation, *([] if names is None else [list(names)]))
        return await asyncio.to_thread(grouping_of(statement), rows, private)
