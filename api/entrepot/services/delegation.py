"""Tokens that are made by people and with tokens: never for more, for longer, or bound to less, than the one that makes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import fetch_one, transaction
from entrepot.errors import PermissionDenied, ValidationError
from entrepot.services.actors import covers
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.namespaces import name_key
from entrepot.services.permissions import API_WRITE, On, not_found, require, require_owner, require_scope
from entrepot.services.selections import locked_package
from entrepot.services.tokens import A_YEAR, check_token, create_token

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

AS_LONG_AS_ALLOWED = timedelta(-1)
"""No wish: a year, or as long as the token that makes it."""


async def delegate_token(
    site: Site,
    *,
    actor: Actor,
    name: str,
    scopes: Sequence[str],
    expires_in: timedelta | None = AS_LONG_AS_ALLOWED,
    owner: str | None = None,
    package: str | None = None,
) -> str:
    """Make a token of the actor's own, or of an organization that it administers, and answer its secret, which nothing can show again.

    A token that is bound to a `package`, by its id, works as its owner does there, and nowhere else. Raises ValidationError, Unauthenticated,
    NotFound, and PermissionDenied: for an owner that is somebody else, for a package where the actor may do no more than everybody, for a scope that
    the actor's own token does not cover, and for an end behind its own.
    """
    wanted = A_YEAR if expires_in == AS_LONG_AS_ALLOWED else expires_in
    check_token(site.registry, name=name, scopes=scopes, expires_in=wanted)
    require_scope(actor, *API_WRITE)
    for scope in scopes:
        if not hands_on(actor.scopes, scope):
            raise PermissionDenied(f"The token that you use does not cover the scope {scope}, so it cannot make a token that does.")
    async with transaction():
        bound = None if package is None else await locked_package(site, actor, Level.READ, uuid=package)
        end = await _held_until(actor)
        actor = await confirmed(actor)
        named = await _owner(site, actor, owner, bound["package_id"] if bound else None)
        left = None if end is None else timedelta(milliseconds=end - now())
        if left is not None and left <= timedelta(0):
            raise ValidationError("The token that you use ends just now; nothing can be made with it any more.")
        if left is not None and (wanted is None or wanted > left):
            if expires_in != AS_LONG_AS_ALLOWED:
                raise PermissionDenied("A token cannot make one that outlives it. Ask for less time, or leave `expiresIn` out.")
            wanted = left
        full_name = f"{bound['namespace']}/{bound['package']}" if bound else None
        return await create_token(
            site.registry, owner=named, name=name, scopes=scopes, expires_in=wanted, package=full_name, made_with=actor.token_id, actor=actor
        )


def hands_on(own: Collection[str], scope: str) -> bool:
    """Whether a credential with these scopes covers all that another scope does. `all` and `repos` are no needs, which `covers` is about: only they
    themselves cover them.
    """
    if scope in ("all", "repos"):
        return "all" in own or scope in own
    return covers(own, scope)


async def _owner(site: Site, actor: Actor, owner: str | None, package_id: int | None) -> str:
    """The name of whose token it will be. Raises NotFound, PermissionDenied."""
    if owner is not None and name_key(owner) != name_key(actor.name):
        row = await fetch_one("SELECT id, name, kind FROM namespace WHERE name_key = $1", name_key(owner))
        if row is None:
            raise not_found(f"namespace {owner[:64]}")
        require(site, actor, Level.ADMIN, On(row["id"], row["name"]))
        if row["kind"] != "organization":
            raise PermissionDenied(f"A token of {row['name']} acts as {row['name']}: nobody else makes one. Make one of your own.")
        return str(row["name"])
    if actor.package_id is None:
        require_owner(actor, On(actor.namespace_id or 0, actor.name), needs=API_WRITE)
    elif actor.is_organization or actor.package_id != package_id:
        raise PermissionDenied("The token that you use is bound to one package: it makes tokens of yours that are bound to the same, and no others.")
    return actor.name


async def _held_until(actor: Actor) -> int | None:
    """When the actor's own token ends, held in share, so that it is not revoked before the one that it makes is there to be revoked with it."""
    if actor.token_id is None:
        return None
    row = await fetch_one("SELECT expires_at FROM token WHERE id = $1 {share}", actor.token_id)
    return None if row is None or row["expires_at"] is None else int(row["expires_at"])
