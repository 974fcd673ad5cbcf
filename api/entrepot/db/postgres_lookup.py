"""The hot path's reads on PostgreSQL: many requests share one query, and none gets an answer older than itself.

Of each kind of look-up one query is in flight at a time. What is asked meanwhile gathers, and goes together in the next one: a request joins only
a batch that has not been sent, so the snapshot that answers it is younger than the request. At 32 clients that is as fast as SQLite's look-up; one
query per request is half as fast.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg

from entrepot.db import lookup
from entrepot.db.lookup import UNREADABLE, CredentialRow, FileRow, HeadRow, NamespaceRow, PartRow, ShardRow, made
from entrepot.db.postgres import CONNECT_WITHIN, LOST, server_settings, session
from entrepot.errors import NotFound
from entrepot.outages import database_unavailable

MOST = 500
"""Look-ups in one query."""
WITHIN = 15.0
"""Seconds for one query."""
LONGEST = 5_000
"""Characters: no column that is looked up holds more."""

SETTINGS = {
    **server_settings,
    "application_name": "entrepot look-ups",
    "statement_timeout": "10s",
    "default_transaction_read_only": "on",
    # every look-up goes by an index; what the planner believes of tables that it has not counted yet must not matter
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Kind(NamedTuple):
    """One kind of look-up: a SELECT of one row with SQLite's placeholders, and the SQL types of its values."""

    name: str
    statement: str
    types: tuple[str, ...]

    def batched(self) -> str:
        """The SELECT for many sets of values at once: arrays in, and out the number of each set that has a row, with the row."""
        arrays = ", ".join(f"${number}::{type}[]" for number, type in enumerate(self.types, 1))
        columns = ", ".join(f"v{number}" for number in range(1, len(self.types) + 1))
        return f"""SELECT given.number, found.* FROM unnest({arrays}) WITH ORDINALITY AS given ({columns}, number)
            CROSS JOIN LATERAL ({placed(self.statement)}) AS found"""


def placed(statement: str) -> str:
    """A statement with columns of `given` for its placeholders: `?`, in the order in which they come, or `?2`."""
    count = 0

    def column(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"given.v{match[1] or count}"

    return re.sub(r"\?(\d*)", column, statement)


HEAD = Kind("head", lookup.HEAD, ("text",) * 4)
PART = Kind("part", lookup.PART, ("text",) * 5)
FILE = Kind("file", lookup.FILE, ("text",) * 3)
EXTRA = Kind("extra", lookup.EXTRA, ("text",) * 4)
SHARD = Kind("shard", lookup.SHARD, ("text",) * 6)
SHARD_BODY = Kind("shard body", lookup.SHARD_BODY, ("bigint",))
NAMESPACE = Kind("namespace", lookup.NAMESPACE, ("text",))
LABEL = Kind("label", lookup.LABEL, ("bigint", "text"))
PUBLIC_LABEL = Kind("public label", lookup.PUBLIC_LABEL, ("bigint", "text"))
RELEASE = Kind("release", lookup.RELEASE, ("bigint", "text"))
SHOWN = Kind("shown", lookup.SHOWN, ("text", "bigint", "text"))
TOKEN = Kind("token", lookup.TOKEN_BY_DIGEST.format(gather=lookup.GATHER["postgres"]), ("text",))
SESSION = Kind("session", lookup.SESSION_BY_DIGEST.format(gather=lookup.GATHER["postgres"]), ("text",))
PRIVATE = Kind("private packages", f"SELECT ARRAY({lookup.PRIVATE}) AS ids", ("bigint",))

Values = tuple[str | int, ...]
Waiting = tuple[Values, "asyncio.Future[tuple[Any, ...] | None]"]


class Line:
    """One connection, for the look-ups of some kinds, which take turns. Connects when it is needed, and anew when it was lost."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiting: dict[Kind, list[Waiting]] = {}
        self._connection: asyncpg.Connection | None = None
        self._prepared: dict[Kind, Any] = {}
        self._pump: asyncio.Task[None] | None = None
        self.asked = 0

    async def ask(self, kind: Kind, *values: str | int) -> tuple[Any, ...] | None:
        """The row that is found, if any. Raises Unavailable."""
        if not all(map(holdable, values)):
            return None
        future: asyncio.Future[tuple[Any, ...] | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(kind, []).append((values, future))
        if self._pump is None:
            self._pump = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        """Send batch after batch until nobody waits. Whoever asks while one is under way waits for the next."""
        try:
            while self._waiting:
                kind = next(iter(self._waiting))
                waiting = self._waiting.pop(kind)
                batch, rest = waiting[:MOST], waiting[MOST:]
                if rest:
                    self._waiting[kind] = rest
                try:
                    rows = await self._answers(kind, [values for values, _ in batch])
                except BaseException as error:
                    self._drop()
                    _refuse(batch, error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    self.asked += len(batch)
                    _answer(batch, rows)
        finally:
            self._pump = None

    async def _answers(self, kind: Kind, wanted: Sequence[Values]) -> Sequence[Any]:
        """The rows of a batch. Asks a second time where the connection had been lost unnoticed: later is never too old."""
        fresh = self._connection is None or self._connection.is_closed()
        try:
            return await self._send(kind, wanted)
        except LOST:
            if fresh:
                raise
            self._drop()
            return await self._send(kind, wanted)

    async def _send(self, kind: Kind, wanted: Sequence[Values]) -> Sequence[Any]:
        if self._connection is None or self._connection.is_closed():
            self._prepared.clear()
            self._connection = await asyncpg.connect(
                self._dsn, timeout=CONNECT_WITHIN, command_timeout=WITHIN, server_settings=session(self._dsn, SETTINGS)
            )
        prepared = self._prepared.get(kind)
        if prepared is None:
            prepared = self._prepared[kind] = await self._connection.prepare(kind.batched())
        rows: Sequence[Any] = await prepared.fetch(*map(list, zip(*wanted, strict=True)))
        return rows

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._prepared.clear()
        if connection is not None:
            connection.terminate()

    def close(self) -> None:
        """Let go of the connection; who still waits is refused."""
        if self._pump is not None:
            self._pump.cancel()
        for waiting in self._waiting.values():
            _refuse(waiting, None)
        self._waiting.clear()
        self._drop()


def _answer(batch: Sequence[Waiting], rows: Sequence[Any]) -> None:
    found = {row[0]: tuple(row)[1:] for row in rows}
    for number, (_, future) in enumerate(batch, 1):
        if not future.done():  # whoever asked may have gone
            future.set_result(found.get(number))


def _refuse(batch: Sequence[Waiting], error: BaseException | None) -> None:
    for _, future in batch:
        if not future.done():
            refusal = database_unavailable(UNREADABLE)
            refusal.__cause__ = error
            future.set_exception(refusal)


def holdable(value: str | int) -> bool:
    """Whether a column can hold a value at all. What none can hold is simply not there, and must not spoil a batch for the others in it."""
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    if len(value) > LONGEST or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


class PostgresLookup:
    """Look-ups on PostgreSQL, on two connections: one for index documents, one for everything else."""

    def __init__(self, dsn: str) -> None:
        self._documents = Line(dsn)
        self._others = Line(dsn)
        self.remembered = 0

    @property
    def asked(self) -> int:
        """See Lookup."""
        return self._documents.asked + self._others.asked

    async def head(self, namespace: str, type: str, label: str, document: str) -> HeadRow | None:
        """See Lookup."""
        return made(HeadRow, await self._documents.ask(HEAD, namespace, type, label, document))

    async def part(self, namespace: str, type: str, label: str, document: str, part: str) -> PartRow | None:
        """See Lookup."""
        return made(PartRow, await self._documents.ask(PART, namespace, type, label, document, part))

    async def file(self, namespace: str, type: str, path: str) -> FileRow | None:
        """See Lookup."""
        return made(FileRow, await self._others.ask(FILE, namespace, type, path))

    async def extra(self, namespace: str, type: str, path: str, name: str) -> FileRow | None:
        """See Lookup."""
        return made(FileRow, await self._others.ask(EXTRA, namespace, type, path, name))

    async def shard(self, namespace: str, type: str, label: str, document: str, representation: str, sha256: str) -> ShardRow | None:
        """See Lookup."""
        return made(ShardRow, await self._documents.ask(SHARD, namespace, type, label, document, representation, sha256))

    async def shard_body(self, id: int) -> bytes:
        """See Lookup."""
        row = await self._others.ask(SHARD_BODY, id)
        if row is None:
            raise NotFound("This shard is no more; read the index again.")
        return bytes(row[0])

    async def namespace(self, namespace: str) -> NamespaceRow | None:
        """See Lookup."""
        return made(NamespaceRow, await self._others.ask(NAMESPACE, namespace))

    async def label(self, namespace_id: int, label: str) -> bool:
        """See Lookup."""
        return await self._others.ask(LABEL, namespace_id, label) is not None

    async def public_label(self, namespace_id: int, label: str) -> bool:
        """See Lookup."""
        return await self._others.ask(PUBLIC_LABEL, namespace_id, label) is not None

    async def release(self, package_id: int, version: str) -> bool:
        """See Lookup."""
        return await self._others.ask(RELEASE, package_id, version) is not None

    async def shown(self, head_id: int, audience: str, withdrawn_under: str) -> bool:
        """See Lookup."""
        return await self._others.ask(SHOWN, audience, head_id, withdrawn_under) is not None

    async def token(self, digest: str) -> CredentialRow | None:
        """See Lookup."""
        return made(CredentialRow, await self._others.ask(TOKEN, digest))

    async def session(self, digest: str) -> CredentialRow | None:
        """See Lookup."""
        return made(CredentialRow, await self._others.ask(SESSION, digest))

    async def private_packages(self, namespace_id: int) -> tuple[int, ...]:
        """See Lookup."""
        row = await self._documents.ask(PRIVATE, namespace_id)
        return tuple(row[0]) if row else ()

    def close(self) -> None:
        """See Lookup."""
        self._documents.close()
        self._others.close()
