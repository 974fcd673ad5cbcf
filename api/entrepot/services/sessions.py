"""Sessions: users who have logged in with a password. A session has a secret, which a cookie carries; the database holds its digest.

It ends 14 days after its last use, 90 days after it began, when its user logs out, gets another password or is disabled. Its row goes then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, transact, transaction
from entrepot.services.actors import Actor
from entrepot.services.credentials import confirmed
from entrepot.services.tokens import digest_of, new_secret

IDLE = timedelta(days=14)
LONGEST = timedelta(days=90)
_IDLE, _LONGEST = IDLE // timedelta(milliseconds=1), LONGEST // timedelta(milliseconds=1)
MOST = 100
"""A user's sessions; a login beyond them ends the one that was not used for longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was begun. Its secret can be shown this once."""

    secret: str
    actor: Actor
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as its user sees it. Times are milliseconds since 1970."""

    id: str
    created_at: int
    used_at: int
    """To the hour."""
    expires_at: int
    address: str
    agent: str
    current: bool
    """It is the one that asks."""


async def begin(*, user_id: int, address: str, agent: str, created_at: int | None = None) -> Opened:
    """Begin a session in the running transaction; or go on, under a new secret, with one that was begun before."""
    eldest = "SELECT id FROM session WHERE user_id = $1 ORDER BY used_at DESC, id DESC LIMIT 1000000 OFFSET $2"
    await execute(f"DELETE FROM session WHERE id IN ({eldest})", user_id, MOST - 1)
    secret, at = new_secret(), now()
    created_at = at if created_at is None else created_at
    row = await fetch_one(
        "INSERT INTO session (uuid, user_id, digest, created_at, used_at, expires_at, address, agent) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) RETURNING id",
        new_uuid(),
        user_id,
        digest_of(secret),
        created_at,
        at,
        min(at + _IDLE, created_at + _LONGEST),
        address[:64],
        _printable(agent)[:255],
    )
    assert row is not None
    actor = await confirmed(Actor(session_id=row["id"], scopes=frozenset({"all"}), address=address))
    return Opened(secret=secret, actor=actor, created_at=created_at)


async def end(*, secret: str) -> Row | None:
    """End a session in the running transaction; answers who was logged in with it: `user_id` and `name`."""
    statement = "SELECT session.id, session.user_id, namespace.name FROM session JOIN namespace ON namespace.id = session.user_id WHERE digest = $1"
    row = await fetch_one(statement, digest_of(secret))
    if row is None or not await execute("DELETE FROM session WHERE id = $1", row["id"]):
        return None
    return row


async def end_all(*, user_id: int) -> int:
    """End all sessions of a user in the running transaction; answers how many."""
    return await execute("DELETE FROM session WHERE user_id = $1", user_id)


async def list_sessions(actor: Actor) -> list[Session]:
    """The actor's own sessions, the one that was used last first."""
    statement = "SELECT * FROM session WHERE user_id = $1 AND expires_at > $2 ORDER BY used_at DESC, id DESC"
    rows = await fetch(statement, actor.namespace_id, now())
    names = ("created_at", "used_at", "expires_at", "address", "agent")
    return [Session(id=row["uuid"], current=row["id"] == actor.session_id, **{name: row[name] for name in names}) for row in rows]


async def record_use(session_id: int, at: int, every: int) -> None:
    """Remember when a session was used last, and let it live on, unless that was recorded in the last `every` milliseconds. Raises Unavailable."""
    statement = """UPDATE session SET used_at = $1, expires_at = CASE WHEN created_at + $2 < $3 THEN created_at + $2 ELSE $3 END
        WHERE id = $4 AND used_at < $5 AND expires_at > $1"""
    await transact(lambda: execute(statement, at, _LONGEST, at + _IDLE, session_id, at - every), durable=False)


async def expire(*, dry_run: bool = False) -> int:
    """Remove sessions whose time is over; answers how many."""
    if dry_run:
        return len(await fetch("SELECT id FROM session WHERE expires_at < $1", now()))
    async with transaction():
        return await execute("DELETE FROM session WHERE expires_at < $1", now())


def _printable(agent: str) -> str:
    return "".join(character if character.isprintable() else " " for character in agent[:1000])
