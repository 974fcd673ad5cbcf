"""The audit log, as those who administer a namespace or the site see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch_one
from entrepot.services.catalog.pages import Condition, Order, Source
from entrepot.services.grants import Level
from entrepot.services.permissions import API_READ, is_site_admin, namespace_level

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = """audit_event.id, audit_event.uuid, audit_event.at, audit_event.actor, audit_event.token_name, audit_event.namespace_id,
    audit_event.action, audit_event.subject, audit_event.details, audit_event.address,
    (SELECT token.uuid FROM token WHERE token.id = audit_event.token_id) AS token_uuid"""
AUDIT_LOG = Source(table="audit_event", parent="namespace_id", columns=COLUMNS)

NEWEST_FIRST = Order("newest", ("at", "uuid"), (int, str), descending=True)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are wanted; None: any. Texts in whatever case."""

    action: str | None = None
    """What the action begins with: `token`, `token.create`."""
    actor: str | None = None
    subject: str | None = None
    """What the subject begins with: `alice/numpy`."""
    since: int | None = None
    until: int | None = None
    """Milliseconds since 1970; `until` itself is left out."""
    token: str | None = None
    """The random id of the token that was used."""


def may_read_log(site: Site, actor: Actor, *, namespace_id: int | None) -> bool:
    """Whether the actor reads the audit log of a namespace, which is for who administers it; None: that of the whole site."""
    if namespace_id is None:
        return is_site_admin(actor, *API_READ)
    return namespace_level(site, actor, namespace_id=namespace_id, needs=API_READ) == Level.ADMIN


def condition_for(wanted: AuditFilter) -> Condition:
    """The events that are wanted, of a log that the actor may read."""
    condition = Condition()
    for column, beginning in (("action", wanted.action), ("subject", wanted.subject)):
        if beginning is not None:
            condition.add(f"LOWER(SUBSTR(audit_event.{column}, 1, {len(beginning)})) = {{0}}", beginning.lower())
    if wanted.actor is not None:
        condition.add("LOWER(audit_event.actor) = {0}", wanted.actor.lower())
    if wanted.since is not None:
        condition.add("audit_event.at >= {0}", wanted.since)
    if wanted.until is not None:
        condition.add("audit_event.at < {0}", wanted.until)
    if wanted.token is not None:
        condition.add("audit_event.token_id = (SELECT token.id FROM token WHERE token.uuid = {0})", wanted.token)
    return condition


async def event_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The event of that id."""
    row = await fetch_one(f"SELECT {COLUMNS} FROM audit_event WHERE audit_event.uuid = $1", uuid)
    return row if row and may_read_log(site, actor, namespace_id=row["namespace_id"]) else None
