"""Notices: what the administrators of a namespace want to tell those who install from it. As public as the namespace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, marks, transaction
from entrepot.errors import Conflict, ValidationError
from entrepot.packagetype import Notice
from entrepot.services import audit
from entrepot.services.grants import Level
from entrepot.services.organizations import locked_namespace
from entrepot.services.permissions import namespace_level, not_found
from entrepot.services.texts import check_text

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = "notice.id, notice.uuid, notice.namespace_id, notice.level, notice.message, notice.created_at, notice.expires_at"
LEVELS = ("info", "warning", "critical")
MOST = 20
"""How many notices a namespace may have at a time: installers show a handful."""
LONGEST = 1000
"""Of a message, in characters."""
FURTHEST = timedelta(days=366)


async def create_notice(site: Site, *, actor: Actor, namespace: str, message: str, level: str, expires_at: int) -> Row:
    """Tell something to whoever installs from a namespace, until a time in milliseconds since 1970; answers the notice.

    Those that have expired go. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Conflict where there are too many.
    """
    text = message.strip()
    _check(text, level, expires_at)
    async with transaction():
        owner, actor = await locked_namespace(site, actor, name=namespace)
        await execute("DELETE FROM notice WHERE namespace_id = $1 AND expires_at <= $2", owner["id"], now())
        [row] = await fetch("SELECT COUNT(*) AS notices FROM notice WHERE namespace_id = $1", owner["id"])
        if row["notices"] >= MOST:
            raise Conflict(f"{owner['name']} has {MOST} notices, which is the most. Delete one that matters less.")
        [made] = await fetch(
            f"INSERT INTO notice (uuid, namespace_id, level, message, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING {COLUMNS}",
            new_uuid(),
            owner["id"],
            level,
            text,
            now(),
            expires_at,
        )
        details = {"notice": made["uuid"], "level": level, "message": text, "expires_at": expires_at}
        await audit.record(actor=actor, action="notice.create", subject=owner["name"], namespace_id=owner["id"], details=details)
    return made


async def delete_notice(site: Site, *, actor: Actor, notice: str) -> Row:
    """Delete a notice by its id; answers what it was. Raises NotFound, Unauthenticated, PermissionDenied."""
    async with transaction():
        statement = "SELECT namespace.name FROM notice JOIN namespace ON namespace.id = notice.namespace_id WHERE notice.uuid = $1"
        named = await fetch_one(statement, notice)
        if named is None:
            raise not_found("notice with this id")
        owner, actor = await locked_namespace(site, actor, name=named["name"])
        row = await fetch_one(f"SELECT {COLUMNS} FROM notice WHERE uuid = $1 AND namespace_id = $2", notice, owner["id"])
        if row is None:
            raise not_found("notice with this id")
        await execute("DELETE FROM notice WHERE id = $1", row["id"])
        details = {"notice": row["uuid"], "level": row["level"], "message": row["message"]}
        await audit.record(actor=actor, action="notice.delete", subject=owner["name"], namespace_id=owner["id"], details=details)
    return row


async def notices_of_namespaces(ids: Sequence[int]) -> dict[int, list[Row]]:
    """The notices of each namespace that have not expired, newest first."""
    found: dict[int, list[Row]] = {one: [] for one in ids}
    statement = f"SELECT {COLUMNS} FROM notice WHERE namespace_id IN ({marks(ids, 2)}) AND expires_at > $1 ORDER BY created_at DESC, id DESC"
    for row in await fetch(statement, now(), *ids):
        found[row["namespace_id"]].append(row)
    return found


async def readable_notice(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The notice of that id, until it expires, for who may see its namespace."""
    row = await fetch_one(f"SELECT {COLUMNS} FROM notice WHERE uuid = $1 AND expires_at > $2", uuid, now())
    return row if row and namespace_level(site, actor, namespace_id=row["namespace_id"]) >= Level.READ else None


def told(row: Row) -> Notice:
    """A notice for a package type, from a row of COLUMNS."""
    return Notice(id=row["uuid"], level=row["level"], message=row["message"], created_at=row["created_at"], expires_at=row["expires_at"])


def _check(message: str, level: str, expires_at: int) -> None:
    """Raises ValidationError for what installers should not write on anybody's terminal, and for a time that is past or far away."""
    if not message:
        raise ValidationError("A notice says something: give it a message.", field="message")
    check_text("message", message, most=LONGEST)
    if not all(line.isprintable() for line in message.split("\n")):
        raise ValidationError("The message may hold line breaks, and no other invisible or control characters.", field="message")
    if level not in LEVELS:
        raise ValidationError(f"The level of a notice is one of {', '.join(LEVELS)}.", field="level")
    left = expires_at - now()
    if not 0 < left <= FURTHEST / timedelta(milliseconds=1):
        raise ValidationError(f"A notice expires in the future, within {FURTHEST.days} days.", field="expires_at")
