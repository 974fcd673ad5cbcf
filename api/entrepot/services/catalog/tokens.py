"""Tokens, as their owners see them: everything but the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch_one
from entrepot.errors import NotFound
from entrepot.services.catalog.pages import Order, Source
from entrepot.services.grants import Level
from entrepot.services.permissions import namespace_level
from entrepot.services.tokens import digest_of

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = """token.id, token.uuid, token.namespace_id, token.name, token.scopes, token.package_id, token.created_at, token.expires_at,
    token.last_used_at, token.revoked_at"""
TOKENS = Source(table="token", parent="namespace_id", columns=COLUMNS)

NEWEST_FIRST = Order("newest", ("created_at", "uuid"), (int, str), descending=True)


def may_see_tokens(site: Site, actor: Actor, *, namespace_id: int) -> bool:
    """Whether the actor sees the tokens of a namespace: who administers it does."""
    return not actor.anonymous and actor.allows("api:read") and namespace_level(site, actor, namespace_id=namespace_id) == Level.ADMIN


async def token_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The token of that id."""
    row = await fetch_one(f"SELECT {COLUMNS} FROM token WHERE uuid = $1", uuid)
    return row if row and may_see_tokens(site, actor, namespace_id=row["namespace_id"]) else None


async def token_of_secret(secret: str) -> Row:
    """The token that a secret opens, which exists."""
    row = await fetch_one(f"SELECT {COLUMNS} FROM token WHERE digest = $1", digest_of(secret))
    assert row is not None
    return row


async def token_by_id(uuid: str) -> Row:
    """The token of that id, which the actor has just changed."""
    row = await fetch_one(f"SELECT {COLUMNS} FROM token WHERE uuid = $1", uuid)
    if row is None:
        raise NotFound("The change was made; but the token has gone since.")
    return row
