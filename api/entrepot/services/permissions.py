"""The one place that decides who may do what (the table in `docs/permissions.md`). Asked once per object, never per field.

A level comes from what the actor is and was given; a credential's scopes, and the package that a token is bound to, narrow it and never widen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from entrepot.db.lookup import GRANTED
from entrepot.db.sql import Row
from entrepot.errors import NotFound, PermissionDenied, Unauthenticated
from entrepot.services.grants import Level

if TYPE_CHECKING:
    from entrepot.db.lookup import NamespaceRow
    from entrepot.services.actors import Actor
    from entrepot.site import Site

NO_TOKEN = "This needs a token. Make one with `entrepot token create` and send it as `Authorization: Bearer TOKEN`."
API_READ = ("api:read",)
API_WRITE = ("api:write",)


@dataclass(frozen=True, slots=True)
class On:
    """What somebody wants to do something to: a namespace, or a package in it."""

    namespace_id: int
    namespace: str
    package_id: int | None = None
    package: str = ""
    private: bool = False

    @classmethod
    def package_of(cls, row: Row) -> On:
        """From a row with `namespace_id`, `namespace`, `package_id`, `package` and `private`."""
        return cls(row["namespace_id"], row["namespace"], row["package_id"], row["package"], bool(row["private"]))

    def __str__(self) -> str:
        return f"the package {self.namespace}/{self.package}" if self.package_id is not None else f"the namespace {self.namespace}"


def given(actor: Actor, *, namespace_id: int, package_id: int | None) -> Level:
    """The level that the actor has by itself or was given, scopes and what is public aside. Without a package: on the namespace."""
    if actor.is_admin and not actor.package_id:
        return Level.ADMIN
    if actor.package_id is not None and actor.package_id != package_id:
        return Level.NONE  # a token that is bound to another package
    if actor.is_admin:
        return Level.ADMIN
    if actor.namespace_id == namespace_id:
        return Level.WRITE if actor.is_organization else Level.ADMIN
    level = actor.grants.namespaces.get(namespace_id, Level.NONE)
    return level if package_id is None else max(level, actor.grants.packages.get(package_id, Level.NONE))


def namespace_level(site: Site, actor: Actor, *, namespace_id: int, needs: Sequence[str] = ()) -> Level:
    """The actor's level on a namespace, with a credential that covers one of the needs (none: scopes aside).

    A namespace's existence and public profile are readable for all who may read anything.
    """
    level = given(actor, namespace_id=namespace_id, package_id=None)
    if needs and not actor.allows(*needs):
        level = Level.NONE
    return max(level, _everybody(site, actor))


def package_level(site: Site, actor: Actor, *, namespace_id: int, package_id: int, private: bool, needs: Sequence[str] = API_READ) -> Level:
    """The actor's level on a package; a credential whose scopes cover none of the needs counts for nothing more than any signed-in reader."""
    level = given(actor, namespace_id=namespace_id, package_id=package_id)
    if not actor.allows(*needs):
        level = Level.NONE
    return level if private else max(level, _everybody(site, actor))


def _everybody(site: Site, actor: Actor) -> Level:
    """What is public, and for whom."""
    return Level.READ if site.settings.anonymous_read or not actor.anonymous else Level.NONE


def visible_sql(site: Site, actor: Actor, start: int, package: str = "package") -> tuple[str, list[Any]]:
    """An SQL condition on the package table (or its alias) that holds for what the actor may read, with `$n` from `start`, and its values."""
    if actor.anonymous:
        return (f"NOT {package}.private" if site.settings.anonymous_read else "1 = 0"), []
    if not actor.allows("api:read"):
        return f"NOT {package}.private", []
    bound, values = ("", []) if actor.package_id is None else (f" AND {package}.id = ${start}", [actor.package_id])
    if actor.is_admin:
        return ("1 = 1", []) if not bound else (f"(NOT {package}.private OR ({package}.private{bound}))", values)
    reader = f"${start + len(values)}"
    sources = (
        f"{package}.namespace_id = {reader}"
        f" OR {package}.namespace_id IN (SELECT granted.namespace_id FROM {GRANTED} WHERE granted.user_id = {reader} AND granted.package_id = 0)"
        f" OR {package}.id IN (SELECT granted.package_id FROM {GRANTED} WHERE granted.user_id = {reader})"
    )
    return f"(NOT {package}.private OR (({sources}){bound}))", [*values, actor.namespace_id]


def reads_private(actor: Actor, *, namespace_id: int, package_id: int, needs: Sequence[str]) -> bool:
    """Whether the actor reads a package of the namespace though it is private."""
    return not actor.anonymous and given(actor, namespace_id=namespace_id, package_id=package_id) >= Level.READ and actor.allows(*needs)


def reads_everything(actor: Actor, *, namespace_id: int, needs: Sequence[str]) -> bool:
    """Whether the actor reads every package of the namespace, the private ones too."""
    return not actor.anonymous and given(actor, namespace_id=namespace_id, package_id=None) >= Level.READ and actor.allows(*needs)


def reads_some_private(actor: Actor, *, namespace_id: int, needs: Sequence[str]) -> bool:
    """Whether there may be private packages in the namespace that the actor reads: who need not ask which."""
    if actor.anonymous or not actor.allows(*needs):
        return False
    return actor.package_id is not None or given(actor, namespace_id=namespace_id, package_id=None) > Level.NONE or namespace_id in actor.grants.homes


def audience_of(actor: Actor, *, namespace_id: int, private: tuple[int, ...]) -> tuple[int, ...]:
    """Of a namespace's private packages those that the actor reads, scopes aside."""
    if actor.package_id is None and given(actor, namespace_id=namespace_id, package_id=None) > Level.NONE:
        return private
    return tuple(one for one in private if given(actor, namespace_id=namespace_id, package_id=one) > Level.NONE)


def sees(site: Site, actor: Actor, on: On, *, needs: Sequence[str]) -> bool:
    """Whether a package exists for the actor with a credential that covers one of the needs."""
    assert on.package_id is not None
    return package_level(site, actor, namespace_id=on.namespace_id, package_id=on.package_id, private=on.private, needs=needs) > Level.NONE


def require(site: Site, actor: Actor, level: Level, on: On, *, needs: Sequence[str] = API_WRITE, reads: Sequence[str] = ()) -> None:
    """Let pass who has the level on a package or a namespace with a credential that covers one of the needs.

    Raises NotFound for what the actor may not see (with a credential that covers one of `needs` or `reads`), Unauthenticated, PermissionDenied.
    """
    if on.package_id is not None:
        if not sees(site, actor, on, needs=(*needs, *(reads or API_READ))):
            raise not_found(f"package {on.package} in {on.namespace}")
    elif namespace_level(site, actor, namespace_id=on.namespace_id) == Level.NONE:
        raise not_found(f"namespace {on.namespace}")
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    if given(actor, namespace_id=on.namespace_id, package_id=on.package_id) < level:
        raise PermissionDenied(_denial(actor, level, on))
    require_scope(actor, *needs)


def _denial(actor: Actor, level: Level, on: On) -> str:
    who = actor.name or "Anonymous"
    if actor.package_id is not None:
        return f"The token that {who} uses is bound to one package, and not to {on}. Use another token."
    if level == Level.ADMIN:
        return f"{who} may not do this: it is for the administrators of {on}."
    return f"{who} may not write to {on}. Ask its owner for access, or upload to {who}."


def require_upload(site: Site, actor: Actor, named: str, owner: NamespaceRow | None, *, type: str | None) -> NamespaceRow:
    """Before its bytes are read, let pass an upload by who may write to the namespace, or to some package in it; `type` None: of any type.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    if owner is None:
        raise NotFound(f"There is no namespace {named[:64]}. Uploads go to your own: {actor.name}.")
    on, needs = On(owner.id, owner.name), upload_needs(site, type)
    if actor.package_id is not None or actor.grants.homes.get(owner.id, Level.NONE) >= Level.WRITE:
        require_scope(actor, *needs)
    else:
        require(site, actor, Level.WRITE, on, needs=needs)
    return owner


def upload_needs(site: Site, type: str | None) -> tuple[str, ...]:
    """The scopes of which one lets a credential upload a file of the type; of any type where it is not known yet."""
    types = [type] if type is not None else list(site.registry.types)
    return (*(f"{name}:upload" for name in types), *API_WRITE)


def require_owner(actor: Actor, on: On, *, needs: Sequence[str]) -> None:
    """Let pass who may see and end the tokens of a namespace. Raises Unauthenticated, PermissionDenied."""
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    if given(actor, namespace_id=on.namespace_id, package_id=None) < Level.ADMIN:
        raise PermissionDenied(f"{actor.name} may not manage the tokens of {on.namespace}: only its owners and the administrators of this site may.")
    require_scope(actor, *needs)


def is_site_admin(actor: Actor, *needs: str) -> bool:
    """Whether the actor administers the whole site, with a credential that covers one of the needs."""
    return actor.is_admin and actor.package_id is None and actor.allows(*needs)


def require_site_admin(actor: Actor) -> None:
    """Let pass who administers the whole site. Raises PermissionDenied."""
    if not actor.is_admin or actor.package_id is not None:
        raise PermissionDenied(f"{actor.name or 'Anonymous'} may not do this: it is for the administrators of this site.")
    require_scope(actor, *API_WRITE)


def require_read(site: Site, actor: Actor, *, needs: Sequence[str]) -> None:
    """On a site that is not open to everybody, let pass who has a credential that may read. Raises Unauthenticated, PermissionDenied."""
    if site.settings.anonymous_read:
        return
    if actor.anonymous:
        raise Unauthenticated("This site serves packages only with a token.")
    require_scope(actor, *needs)


def require_scope(actor: Actor, *needs: str) -> None:
    """Let pass who has a credential that covers one of the needs, whatever it is for. Raises Unauthenticated, PermissionDenied."""
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    if not actor.allows(*needs):
        raise PermissionDenied(f"This token's scopes do not allow it. Make a token with one of the scopes: {', '.join(('all', *needs))}.")


def not_found(what: str) -> NotFound:
    """The answer for what does not exist and for what the actor may not see."""
    return NotFound(f"There is no {what} here, or it is private. If it is yours, send a token that may read it.")
