"""The one place that decides who may do what (the table in `docs/architecture.md`). Asked once per object, never per field.

A level comes from what the actor is; a token's scopes narrow it and never widen it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from entrepot.errors import NotFound, PermissionDenied, Unauthenticated

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

NO_TOKEN = "This needs a token. Make one with `entrepot token create` and send it as `Authorization: Bearer TOKEN`."


class Level(IntEnum):
    """What an actor may do with a package or a namespace; each level includes those below it."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


def namespace_level(site: Site, actor: Actor, *, namespace_id: int) -> Level:
    """The actor's level on a namespace, scopes aside. A namespace's existence and public profile are readable for all who may read anything."""
    if actor.is_admin or actor.namespace_id == namespace_id:
        return Level.ADMIN
    return Level.READ if site.settings.anonymous_read or not actor.anonymous else Level.NONE


def package_level(site: Site, actor: Actor, *, namespace_id: int, private: bool, needs: tuple[str, ...] = ("api:read",)) -> Level:
    """The actor's level on a package; a credential whose scopes cover none of the needs counts for nothing more than any signed-in reader."""
    level = namespace_level(site, actor, namespace_id=namespace_id)
    if level > Level.READ and not actor.allows(*needs):
        level = Level.READ
    return Level.NONE if private and level < Level.WRITE else level


def visible_sql(site: Site, actor: Actor, start: int, package: str = "package") -> tuple[str, list[Any]]:
    """An SQL condition on the package table (or its alias) that holds for what the actor may read, with `$n` from `start`, and its values."""
    if actor.anonymous:
        return (f"NOT {package}.private" if site.settings.anonymous_read else "1 = 0"), []
    if not actor.allows("api:read"):
        return f"NOT {package}.private", []
    if actor.is_admin:
        return "1 = 1", []
    return f"(NOT {package}.private OR {package}.namespace_id = ${start})", [actor.namespace_id]


def reads_private(actor: Actor, *, namespace_id: int, needs: tuple[str, ...]) -> bool:
    """Whether the actor reads every private package of the namespace."""
    return not actor.anonymous and (actor.is_admin or actor.namespace_id == namespace_id) and actor.allows(*needs)


def require_write(actor: Actor, *, namespace_id: int, namespace: str, needs: tuple[str, ...]) -> None:
    """Let pass who may write to the namespace with this credential. Raises Unauthenticated, PermissionDenied."""
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    if not (actor.is_admin or actor.namespace_id == namespace_id):
        raise PermissionDenied(f"{actor.name} may not write to the namespace {namespace}. Ask its owner for access, or upload to {actor.name}.")
    _require_scope(actor, needs)


def upload_needs(site: Site, type: str | None) -> tuple[str, ...]:
    """The scopes of which one lets a credential upload a file of the type; of any type where it is not known yet."""
    types = [type] if type is not None else list(site.registry.types)
    return (*(f"{name}:upload" for name in types), "api:write")


def require_scope(actor: Actor, need: str) -> None:
    """Let pass who has a credential that covers the need, whatever it is for. Raises Unauthenticated, PermissionDenied."""
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    _require_scope(actor, (need,))


def require_admin(site: Site, actor: Actor, *, namespace_id: int, namespace: str, needs: tuple[str, ...]) -> None:
    """Let pass who administers the namespace with this credential. Raises Unauthenticated, PermissionDenied."""
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    if namespace_level(site, actor, namespace_id=namespace_id) < Level.ADMIN:
        raise PermissionDenied(f"{actor.name} may not do this: it is for the administrators of the namespace {namespace}.")
    _require_scope(actor, needs)


def require_owner(actor: Actor, *, namespace_id: int, namespace: str, needs: tuple[str, ...]) -> None:
    """Let pass who may see and end the tokens of a namespace. Raises Unauthenticated, PermissionDenied."""
    if actor.anonymous and not actor.is_admin:
        raise Unauthenticated(NO_TOKEN)
    if not (actor.is_admin or actor.namespace_id == namespace_id):
        raise PermissionDenied(f"{actor.name} may not manage the tokens of {namespace}: only {namespace} and the administrators of this site may.")
    _require_scope(actor, needs)


def require_site_admin(actor: Actor) -> None:
    """Let pass who administers the whole site. Raises PermissionDenied."""
    if not actor.is_admin:
        raise PermissionDenied(f"{actor.name or 'Anonymous'} may not do this: it is for the administrators of this site.")
    _require_scope(actor, ("api:write",))


def require_read(site: Site, actor: Actor, *, needs: tuple[str, ...]) -> None:
    """On a site that is not open to everybody, let pass who has a credential that may read. Raises Unauthenticated, PermissionDenied."""
    if site.settings.anonymous_read:
        return
    if actor.anonymous:
        raise Unauthenticated("This site serves packages only with a token.")
    _require_scope(actor, needs)


def _require_scope(actor: Actor, needs: tuple[str, ...]) -> None:
    if not actor.allows(*needs):
        raise PermissionDenied(f"This token's scopes do not allow it. Make a token with one of the scopes: {', '.join(('all', *needs))}.")


def not_found(what: str) -> NotFound:
    """The answer for what does not exist and for what the actor may not see."""
    return NotFound(f"There is no {what} here, or it is private. If it is yours, send a token that may read it.")
