"""SQL that both databases read: one text, written with PostgreSQL's `$1`, turned into SQLite's `?1` where needed.

`{lock}` at the end of a SELECT becomes FOR UPDATE on PostgreSQL and nothing on SQLite, where a transaction holds the one write lock from its start.
`{share}` becomes FOR SHARE, which holds up whoever wants to `{lock}` or change the row, and nobody else who shares it. `{skip}` becomes FOR UPDATE
too, but leaves out the rows that somebody else has locked: for work that can be done another time, and that shall hold up nobody. `{gather}` is the
aggregate that joins texts; SQLite knows PostgreSQL's word for it from 3.44 on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TypeVar

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction

from entrepot.db.postgres import Passing, Unstorable
from entrepot.db.sqlite import Client as SqliteClient
from entrepot.db.sqlite import direct
from entrepot.errors import BadRequest, EntrepotError, Unavailable
from entrepot.outages import database_unavailable

Row = Mapping[str, Any]
T = TypeVar("T")
_after_commit: ContextVar[list[Callable[[], None]] | None] = ContextVar("after_commit", default=None)
BUSY = "The database is busy or cannot be written to just now; nothing was changed. Try again in a moment."
IN_DOUBT = "The database went away just when it was to commit: the change is whole, or not there at all. Look, or simply send it again."
AWAY = "The database does not answer just now. Try again in a moment."
NO_TEXT = "A value in the request is one that nothing here can have: a text with a NUL character in it, or a number out of range."
TRIES = 3
"""How often a transaction is run that meets another one and is undone for it, before whoever asked hears of it."""


WORDS = {
    "sqlite": {"{lock}": "", "{share}": "", "{skip}": "", "{gather}": "group_concat"},
    "postgres": {"{lock}": "FOR UPDATE", "{share}": "FOR SHARE", "{skip}": "FOR UPDATE SKIP LOCKED", "{gather}": "string_agg"},
}


@lru_cache(maxsize=1024)
def _text(statement: str, dialect: str) -> str:
    for mark, word in WORDS[dialect].items():
        statement = statement.replace(mark, word)
    return (re.sub(r"\$(\d+)", r"?\1", statement) if dialect == "sqlite" else statement).strip()


async def fetch(statement: str, *values: Any) -> list[Row]:
    """The rows of a SELECT, or of a statement with RETURNING, in the running transaction if there is one."""
    held = direct.get()
    if held is not None:
        return held.execute(_text(statement, "sqlite"), values).fetchall()
    _, rows = await _run(statement, values)
    return rows


async def fetch_one(statement: str, *values: Any) -> Row | None:
    """The first row, or None."""
    rows = await fetch(statement, *values)
    return rows[0] if rows else None


async def execute(statement: str, *values: Any) -> int:
    """Run a statement; answers the number of rows it touched."""
    held = direct.get()
    if held is not None:
        return held.execute(_text(statement, "sqlite"), values).rowcount
    count, _ = await _run(statement, values)
    return count


async def _run(statement: str, values: Sequence[Any]) -> tuple[int, list[Row]]:
    connection = get_connection("default")
    try:
        count, rows = await connection.execute_query(_text(statement, connection.capabilities.dialect), list(values))
    except Unstorable as error:
        raise BadRequest(NO_TEXT) from error
    except Passing as error:
        if isinstance(connection, TransactionalDBClient):
            raise  # the transaction knows what becomes of it
        raise database_unavailable(AWAY) from error
    return count, list(rows)


@lru_cache(maxsize=256)
def rows_of(count: int, width: int, start: int = 1) -> str:
    """The placeholders of a multi-row VALUES: `rows_of(2, 3)` is `($1,$2,$3),($4,$5,$6)`. Kept: an upload asks for the same few each time."""
    numbers = iter(range(start, start + count * width))
    return ",".join("(" + ",".join(f"${next(numbers)}" for _ in range(width)) + ")" for _ in range(count))


def marks(values: Sequence[Any], start: int = 1) -> str:
    """The placeholders of an IN list; `NULL`, which matches nothing, for an empty one."""
    return ",".join(f"${number}" for number in range(start, start + len(values))) or "NULL"


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """A write transaction. Never around the reading of a request's body, never in a GraphQL query.

    Raises Unavailable where the database cannot take it now, and IntegrityError where its constraints refuse what was written.
    """
    outer = _after_commit.get()
    pending: list[Callable[[], None]] = []
    token = _after_commit.set(pending)
    try:
        with writes:
            async with in_transaction():
                yield
    except IntegrityError:  # to Tortoise an OperationalError too, but no trouble of the database's
        raise
    except OperationalError as error:
        raise _unavailable(error) from error
    finally:
        _after_commit.reset(token)
    if outer is not None:
        outer += pending
    else:
        for callback in pending:
            callback()


class Writes:
    """The write transactions of this process."""

    def __init__(self) -> None:
        self.under_way = 0
        """How many wait for their turn or are at work."""

    def __enter__(self) -> None:
        self.under_way += 1

    def __exit__(self, *_: object) -> None:
        self.under_way -= 1


writes = Writes()


def after_commit(callback: Callable[[], None]) -> None:
    """Call something when the running transaction, the outermost one, has committed; at once where none runs."""
    pending = _after_commit.get()
    if pending is None:
        callback()
    else:
        pending.append(callback)


async def transact(body: Callable[[], Coroutine[Any, Any, T]], *, durable: bool = True) -> T:
    """Run a coroutine that awaits nothing but this module's functions in a write transaction, or as part of the one that runs.

    One that need not be durable may be forgotten by a loss of power, unless a durable one has committed after it.
    On SQLite the whole of it takes one hop to the writer's thread. Raises Unavailable where the database cannot take it now.
    """
    connection = get_connection("default")
    if direct.get() is not None or isinstance(connection, TransactionalDBClient):
        return await body()
    if not isinstance(connection, SqliteClient):
        return await _transact_anew(body, durable)
    try:
        with writes:
            return await connection.transact(body, durable=durable)
    except IntegrityError:  # to Tortoise an OperationalError too, but no trouble of the database's
        raise
    except OperationalError as error:
        raise _unavailable(error) from error


async def _transact_anew(body: Callable[[], Coroutine[Any, Any, T]], durable: bool) -> T:
    """`transact` on PostgreSQL: again where the transaction collided with another one, for then nothing of it has happened."""
    for left in reversed(range(TRIES)):
        try:
            async with transaction():
                if not durable:
                    await execute("SET LOCAL synchronous_commit TO off")
                return await body()
        except Unavailable as error:
            cause = error.__cause__
            if not (left and isinstance(cause, Passing) and cause.collision):
                raise
    raise AssertionError


def _unavailable(error: OperationalError) -> EntrepotError:
    """What is said of a transaction that the database did not take."""
    if isinstance(error, Unstorable):
        return BadRequest(NO_TEXT)
    return database_unavailable(IN_DOUBT if isinstance(error, Passing) and error.in_doubt else BUSY)
