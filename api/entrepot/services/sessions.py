"""Sessions: users who have logged in with a password. A session has a secret, which a cookie carries; the database holds its digest.

It ends 14 days after its last use, 90 days after it began, when its user logs out, gets another password or is disabled. Its row goes then.

Once a day the secret is replaced by another one (`renew`). The one before it counts until the new one is used for the first time, and a minute more
for requests under way: so an answer that never arrived, or a program that keeps no new cookie, logs nobody out, and a copy of the old cookie is worth
nothing once its owner has gone on. Of all this the row knows: `given_at`, when the present secret was handed out; `rotated_at`, when it was first
used; `previous_digest`, the one before. `db/lookup.py` reads a session by either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from entrepot.clock import now
from entrepot.db.lookup import PREVIOUS_COUNTS
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, transact, transaction
from entrepot.services.actors import Actor
from entrepot.services.credentials import confirmed
from entrepot.services.tokens import digest_of, new_secret

IDLE = timedelta(days=14)
LONGEST = timedelta(days=90)
_IDLE, _LONGEST = IDLE // timedelta(milliseconds=1), LONGEST // timedelta(milliseconds=1)
RENEWED_AFTER = timedelta(days=1) // timedelta(milliseconds=1)
MOST = 100
"""A user's sessions; a login beyond them ends the one that was not used for longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was begun. Its secret can be shown this once."""

    secret: str
    actor: Actor
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """Another secret of a session, which can be shown this once."""

    secret: str
    created_at: int
    """When the session was begun."""


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
        """INSERT INTO session (uuid, user_id, digest, given_at, rotated_at, created_at, used_at, expires_at, address, agent)
        VALUES ($1,$2,$3,$5,$5,$4,$5,$6,$7,$8) RETURNING id""",
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


async def renew(*, session_id: int, secret: str, given_at: int) -> Renewed | None:
    """Give a session another secret for the one that came along. `given_at` is as it was read; None where another request was faster.

    Raises Unavailable.
    """
    renewed, at = new_secret(), now()
    statement = """UPDATE session SET digest = $1, previous_digest = $2, given_at = $3, rotated_at = NULL
        WHERE id = $4 AND given_at = $5 AND (digest = $2 OR (previous_digest = $2 AND rotated_at IS NULL)) RETURNING created_at"""
    rows = await transact(lambda: fetch(statement, digest_of(renewed), digest_of(secret), at, session_id, given_at))
    return Renewed(secret=renewed, created_at=rows[0]["created_at"]) if rows else None


async def record_rotation(session_id: int, secret: str, at: int) -> None:
    """Remember that a secret was used for the first time: the one before it counts for a minute more. Raises Unavailable."""
    statement = "UPDATE session SET rotated_at = $1 WHERE id = $2 AND digest = $3 AND rotated_at IS NULL"
    await transact(lambda: execute(statement, at, session_id, digest_of(secret)))


async def end(*, secret: str) -> Row | None:
    """End a session in the running transaction; answers who was logged in with it: `user_id` and `name`."""
    statement = """SELECT session.id, session.user_id, namespace.name FROM session JOIN namespace ON namespace.id = session.user_id
        WHERE digest = $1 OR (previous_digest = $1 AND coalesce(rotated_at, $2) + $3 > $2)"""
    row = await fetch_one(statement, digest_of(secret), now(), PREVIOUS_COUNTS)
    if row is None or not await execute("DELETE FROM session WHERE id = $1", row["id"]):
        return None
    return row


async def end_one(*, user_id: int, id: str) -> Row | None:
    """End a session of a user by its id in the running transaction; answers its inner id, if there is such."""
    return await fetch_one("DELETE FROM session WHERE uuid = $1 AND user_id = $2 RETURNING id", id, user_id)


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
