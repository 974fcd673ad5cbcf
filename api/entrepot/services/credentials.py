"""Credentials: from the row of a token or a session to an Actor, and again in the transaction that writes."""

from __future__ import annotations

from dataclasses import replace

from entrepot.clock import now
from entrepot.db.lookup import OWNER, SESSION, TOKEN, CredentialRow
from entrepot.db.sql import fetch_one
from entrepot.errors import Unauthenticated
from entrepot.services.actors import Actor
from entrepot.services.grants import parse_grants

ENDED = "The credential of this request has ended meanwhile: it expired, was revoked, or its owner was disabled."


def is_valid(row: CredentialRow, at: int) -> bool:
    """Whether a credential opens anything at a time, in milliseconds since 1970."""
    return row.revoked_at is None and row.disabled_at is None and (row.expires_at is None or row.expires_at > at)


def actor_by_token(row: CredentialRow, address: str) -> Actor:
    """Who a valid token stands for."""
    return replace(_owner(row, address), token_id=row.id, package_id=row.package_id)


def actor_by_session(row: CredentialRow, address: str) -> Actor:
    """Who is logged in with a valid session."""
    return replace(_owner(row, address), session_id=row.id)


def _owner(row: CredentialRow, address: str) -> Actor:
    return Actor(
        name=row.name,
        namespace_id=row.namespace_id,
        is_organization=row.kind == "organization",
        is_admin=bool(row.is_admin),
        grants=parse_grants(row.grants),
        scopes=frozenset(row.scopes.split()),
        address=address,
    )


async def confirmed(actor: Actor) -> Actor:
    """The actor as it is now: each transaction that writes begins with this, because a request may have taken its time since it came.

    Once a revocation is answered, nothing that begins to write is let through. Raises Unauthenticated where the credential has ended.
    """
    if actor.token_id is not None:
        found = await fetch_one(f"{TOKEN} WHERE token.id = $1", actor.token_id)
    elif actor.session_id is not None:
        found = await fetch_one(f"{SESSION} WHERE session.id = $1", actor.session_id)
    elif actor.namespace_id is not None:
        found = await fetch_one(f"{OWNER} WHERE namespace.id = $1", actor.namespace_id)
    else:
        return actor  # anonymous, and whoever runs commands on the server's own machine
    row = None if found is None else CredentialRow(*(found[name] for name in CredentialRow._fields))
    if row is None or not is_valid(row, now()):
        raise Unauthenticated(ENDED)
    return replace(_owner(row, actor.address), scopes=actor.scopes, token_id=actor.token_id, package_id=actor.package_id, session_id=actor.session_id)
