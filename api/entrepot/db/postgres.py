"""Tortoise's PostgreSQL engine, cured: transactions that survive cancellation and lost connections, and answers to `INSERT … RETURNING`.

Tortoise's own loses a connection of its pool for ever when a task is cancelled, or refused, while a transaction begins; leaves the outcome of a
cancelled COMMIT to chance; and hides why a transaction failed behind the failure to undo it. Named as an engine:
`{"engine": "entrepot.db.postgres", "credentials": {"dsn": ...}}`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    ConnectionWrapper,
    NestedTransactionContext,
    PoolConnectionWrapper,
    TransactionalDBClient,
    TransactionContext,
)
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError, TransactionManagementError

from entrepot.cancellation import to_the_end
from entrepot.db.sqlite import only_reads

server_settings = {
    "application_name": "entrepot",
    "jit": "off",  # compiling costs more than any statement here
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""For every session. The last four: the locks of a host that vanished are not held for ever."""


def session(dsn: str, settings: dict[str, str]) -> dict[str, str]:
    """The settings of a session, but for those that the URL has of its own: an operator's `?statement_timeout=5min` counts."""
    return {name: value for name, value in settings.items() if name not in parse_qs(urlsplit(dsn).query)}


CONNECT_WITHIN = 10.0
"""Seconds."""
ANSWER_WITHIN = 65.0
"""Seconds after which a server that says nothing counts as lost; longer than it takes itself to give a statement up."""

TURN_WITHIN = 30.0
"""Seconds that a request waits for a connection: behind a server that says nothing, a queue must not grow for as long as each in it may wait."""
RETURN_WITHIN = 5.0
"""Seconds for a connection to be fit for the next: after a cancelled statement, the server has to be told."""

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says where it was thrown out between two statements and has not seen it to its end
    OSError,
    TimeoutError,
)
"""The server is away, or has thrown us out."""
PASSING = (
    *LOST,
    asyncpg.InsufficientResourcesError,  # too many connections, a full disk
    asyncpg.TransactionRollbackError,  # deadlocks
    asyncpg.ObjectNotInPrerequisiteStateError,  # locks that were not to be had in time
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is about to be the primary
)
"""What may well go better a moment later."""
COLLISIONS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Passing(OperationalError):
    """The database cannot do it now."""

    in_doubt = False
    """It was to commit, and nobody knows whether it did."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.collision = isinstance(error, COLLISIONS)
        """The transaction met another one, was undone as a whole, and may be tried again at once."""


class Unstorable(OperationalError):
    """A value that no column can hold: a text with NUL or half of a pair in it, a number out of range."""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg is not typed
    """A connection that goes back to its pool without a round trip: nothing here sets anything for a session."""

    def get_reset_query(self) -> str:
        """See asyncpg."""
        return ""


_returning = re.compile(r"\bRETURNING\b", re.IGNORECASE)


@lru_cache(maxsize=1024)
def answers_rows(query: str) -> bool:
    """Whether a statement answers with rows, and not with how many it has touched."""
    return (
        only_reads(query) or _returning.search(query) is not None or not query.lstrip()[:6].upper().startswith(("INSERT", "UPDATE", "DELETE", "WITH"))
    )


def touched(status: str) -> int:
    """How many rows a statement touched, from `INSERT 0 1` or `UPDATE 3`."""
    count = status.rpartition(" ")[2]
    return int(count) if count.isdecimal() else 0


class Engine(AsyncpgDBClient):
    """What the client outside transactions and the one inside have in common: how statements are run and errors worded."""

    async def _translate_exceptions(self, func: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            return await func(self, *args, **kwargs)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise IntegrityError(error) from error
        except asyncpg.DataError as error:
            raise Unstorable(error) from error
        except PASSING as error:
            raise Passing(error) from error
        except asyncpg.InvalidTransactionStateError as error:
            raise TransactionManagementError(error) from error
        except asyncpg.PostgresError as error:
            raise OperationalError(error) from error

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, list[Any]]:
        """Run a statement; answers the number of rows it touched or else found, and the rows."""
        answer: tuple[int, list[Any]] = await self._translate_exceptions(Engine._execute_query, query, values or [])
        return answer

    async def _execute_query(self, query: str, values: list[Any]) -> tuple[int, list[Any]]:
        async with self.acquire_connection() as connection:
            if answers_rows(query):
                rows = await connection.fetch(query, *values)
                return len(rows), rows
            return touched(await connection.execute(query, *values)), []


class Transaction(Engine, TransactionWrapper):
    """The client inside a transaction."""

    def acquire_connection(self) -> ConnectionWrapper[asyncpg.Connection]:
        """The transaction's connection, for one statement."""
        self._refuse_late_work()
        return ConnectionWrapper(self._lock, self)

    def _in_transaction(self) -> TransactionContext:
        self._refuse_late_work()
        return NestedTransactionContext(Transaction(self))

    def _refuse_late_work(self) -> None:
        """A task that was started inside the transaction still has it as its client: it would write between the statements of others."""
        if self._finalized:
            raise TransactionManagementError("this transaction is over: start background work after it, not inside")

    async def begin(self) -> None:
        """Begin; nothing is locked yet."""
        await self._translate_exceptions(Transaction._begin)

    async def _begin(self) -> None:
        self.transaction = self._connection.transaction()
        await self.transaction.start()

    async def commit(self) -> None:
        """Commit. When it is cancelled, it is seen to its end and may well have happened."""
        self._refuse_late_work()
        self._finalized = True
        begun = self.transaction
        assert begun is not None
        try:
            await to_the_end(self._translate_exceptions(lambda _: begun.commit()))
        except Passing as error:
            error.in_doubt = not error.collision
            raise

    async def rollback(self) -> None:
        """Undo everything."""
        self._refuse_late_work()
        self._finalized = True
        begun = self.transaction
        assert begun is not None
        await to_the_end(self._translate_exceptions(lambda _: begun.rollback()))


class TransactionOfPool(TransactionContext):
    """Holds a connection of the pool for as long as a transaction lasts, and not longer. Only so many at a time, of one process."""

    def __init__(self, client: Client) -> None:
        self.client = Transaction(client)
        self._parent = client

    async def __aenter__(self) -> TransactionalDBClient:
        try:
            async with asyncio.timeout(TURN_WITHIN):
                await self._parent.writers.acquire()
        except TimeoutError as error:
            raise Passing(error) from error
        try:
            self.client._connection = await self._parent.take()
            try:
                await self.client.begin()
            except BaseException:  # a cancelled request gives its connection back too
                await to_the_end(self._give_back())
                raise
        except BaseException:  # and its turn
            self._parent.writers.release()
            raise
        self.token = get_connections().set(self._parent.connection_name, self.client)
        client: TransactionalDBClient = self.client
        return client

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if not self.client._finalized:
                await (self._undo() if exc_type else self.client.commit())
        finally:
            get_connections().reset(self.token)
            try:
                await to_the_end(self._give_back())
            finally:
                self._parent.writers.release()

    async def _undo(self) -> None:
        """Roll back. Where that cannot be, the connection goes: the server undoes what is open, and why it came to this must not be hidden."""
        try:
            await self.client.rollback()
        except Exception:  # whatever it was: a connection in doubt is not used again
            with suppress(asyncpg.InterfaceError):  # the pool has taken it back already: the server had closed it
                self.client._connection.terminate()

    async def _give_back(self) -> None:
        self.client._finalized = True
        await self._parent.give_back(self.client._connection)


class PooledStatement(PoolConnectionWrapper[Any]):
    """Holds a connection of the pool for one statement. Tortoise's own waits for it without an end."""

    def __init__(self, client: Client, pool_init_lock: asyncio.Lock) -> None:
        super().__init__(client, pool_init_lock)
        self._parent = client

    async def __aenter__(self) -> Any:
        self.connection = await self._parent._take()
        return self.connection

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        await self._parent.give_back(self.connection)


class Client(Engine):
    """The client outside transactions: each statement on any connection of the pool."""

    def __init__(self, dsn: str, connections: int = 8, session: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._dsn = dsn
        self._connections = connections
        self._session = session or {}
        self.writers = asyncio.Semaphore(max(1, connections // 2))
        """More writers than a few only wait for each other's locks: 32 publish less per second than 8 (and each host has its own)."""

    async def create_connection(self, with_db: bool) -> None:
        """Open the pool with one connection; the others follow when they are needed."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._connections,
            max_inactive_connection_lifetime=300,
            statement_cache_size=512,
            connection_class=Connection,
            timeout=CONNECT_WITHIN,
            command_timeout=ANSWER_WITHIN,
            server_settings=session(self._dsn, {**server_settings, **self._session}),
        )

    async def take(self) -> Any:
        """A connection of the pool, to give back. Raises Passing."""
        return await self._translate_exceptions(Client._take)

    async def _take(self) -> Any:
        if self._pool is None:
            async with self._pool_init_lock:
                if self._pool is None:
                    await self.create_connection(with_db=True)
        assert self._pool is not None
        return await self._pool.acquire(timeout=TURN_WITHIN)

    async def give_back(self, connection: Any) -> None:
        """Return a connection to the pool, which ends one that is not fit in time."""
        if self._pool is not None:
            with suppress(*LOST):
                await self._pool.release(connection, timeout=RETURN_WITHIN)

    def acquire_connection(self) -> PooledStatement:
        """A connection of the pool, for one statement."""
        return PooledStatement(self, self._pool_init_lock)

    def _in_transaction(self) -> TransactionOfPool:
        return TransactionOfPool(self)


client_class = Client
