"""Tokens that are made with a token: never for more, and never for longer, than the one that makes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import fetch_one, transaction
from entrepot.errors import PermissionDenied, Unauthenticated, ValidationError
from entrepot.services.actors import covers
from entrepot.services.permissions import API_WRITE, On, require_owner
from entrepot.services.tokens import A_YEAR, check_token, create_token

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

AS_LONG_AS_ALLOWED = timedelta(-1)
"""No wish: a year, or as long as the token that makes it."""


async def delegate_token(site: Site, *, actor: Actor, name: str, scopes: Sequence[str], expires_in: timedelta | None = AS_LONG_AS_ALLOWED) -> str:
    """Make another token of the actor's own and answer its secret, which nothing can show again.

    Raises ValidationError, Unauthenticated, and PermissionDenied for a scope that the actor's own token does not cover or an end behind its own.
    """
    wanted = A_YEAR if expires_in == AS_LONG_AS_ALLOWED else expires_in
    check_token(site.registry, name=name, scopes=scopes, expires_in=wanted)
    require_owner(actor, On(actor.namespace_id or 0, actor.name), needs=API_WRITE)
    for scope in scopes:
        if not hands_on(actor.scopes, scope):
            raise PermissionDenied(f"The token that you use does not cover the scope {scope}, so it cannot make a token that does.")
    async with transaction():
        left = await _time_left(actor)
        if left is not None and (wanted is None or wanted > left):
            if expires_in != AS_LONG_AS_ALLOWED:
                raise PermissionDenied("A token cannot make one that outlives it. Ask for less time, or leave `expiresIn` out.")
            wanted = left
        return await create_token(site.registry, owner=actor.name, name=name, scopes=scopes, expires_in=wanted, actor=actor)


def hands_on(own: Collection[str], scope: str) -> bool:
    """Whether a credential with these scopes covers all that another scope does. `all` and `repos` are no needs, which `covers` is about: only they
    themselves cover them.
    """
    if scope in ("all", "repos"):
        return "all" in own or scope in own
    return covers(own, scope)


async def _time_left(actor: Actor) -> timedelta | None:
    """How long the actor's own token lives; None: without an end. Not locked: who holds a namespace writes events that refer to the token."""
    if actor.token_id is None:
        return None
    row = await fetch_one("SELECT expires_at, revoked_at FROM token WHERE id = $1", actor.token_id)
    if row is None or row["revoked_at"] is not None:
        raise Unauthenticated("The token that you use was revoked just now.")
    if row["expires_at"] is None:
        return None
    left = timedelta(milliseconds=row["expires_at"] - now())
    if left <= timedelta(0):
        raise ValidationError("The token that you use ends just now; nothing can be made with it any more.")
    return left
