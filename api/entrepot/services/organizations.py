"""Organizations: created with their owners, deleted with everything in them; what every namespace says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch_one, transaction
from entrepot.errors import PermissionDenied
from entrepot.services import audit
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.memberships import OWNERS
from entrepot.services.namespaces import GRAMMAR, add_namespace, check_name, name_key
from entrepot.services.permissions import API_WRITE, On, not_found, require, require_scope
from entrepot.services.texts import check_line, check_text

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

LONGEST = {"display_name": 128, "description": 20_000}
"""In characters."""


async def create_organization(site: Site, *, actor: Actor, name: str, display_name: str = "", description: str = "") -> str:
    """Create an organization, whose first owner the actor is; answers its id.

    Raises Unauthenticated, PermissionDenied for who is no user, ValidationError, Conflict for a name that is or was taken.
    """
    _require_user(actor)
    check_name(site.registry, name)
    check_line("display_name", display_name, most=LONGEST["display_name"])
    check_text("description", description, most=LONGEST["description"])
    async with transaction():
        actor = await confirmed(actor)
        await _count(site, actor)
        row = await add_namespace(name=name, kind="organization")
        await execute("UPDATE namespace SET display_name = $1, description = $2 WHERE id = $3", display_name, description, row["id"])
        group = await fetch_one(
            """INSERT INTO member_group (uuid, namespace_id, name, name_key, permission, everything, created_at)
            VALUES ($1, $2, $3, $3, 'admin', TRUE, $4) RETURNING id""",
            new_uuid(),
            row["id"],
            OWNERS,
            now(),
        )
        assert group is not None
        await execute("INSERT INTO group_member (group_id, user_id, added_at) VALUES ($1, $2, $3)", group["id"], actor.namespace_id, now())
        await audit.record(actor=actor, action="organization.create", subject=row["name"], namespace_id=row["id"], details={"owners": [actor.name]})
    return str(row["uuid"])


def _require_user(actor: Actor) -> None:
    """Let pass who can be a member of something. Raises Unauthenticated, PermissionDenied."""
    require_scope(actor, *API_WRITE)
    if actor.is_organization or actor.package_id is not None or actor.namespace_id is None:
        raise PermissionDenied("An organization needs a user for its first owner: use a token of your own, one that is bound to no package.")


async def _count(site: Site, actor: Actor) -> None:
    """Count one more organization, which counts for ever as its name does. Raises PermissionDenied where the site allows no more."""
    counted = await fetch_one(
        'UPDATE "user" SET organizations = coalesce(organizations, 0) + 1 WHERE namespace_id = $1 RETURNING organizations', actor.namespace_id
    )
    most = site.settings.organizations_per_user
    if counted is not None and counted["organizations"] > most and not actor.is_admin:
        raise PermissionDenied(f"{actor.name} has created {most:,} organizations, and this site allows no more. Ask an administrator of the site.")


async def update_namespace(
    site: Site,
    *,
    actor: Actor,
    namespace: str,
    display_name: str | None = None,
    description: str | None = None,
    default_visibility: str | None = None,
    strictness: str | None = None,
) -> None:
    """Change what is given (None: leave it) of a user's or an organization's namespace, by its id.

    `default_visibility`, `public` or `private`, is that of packages which are new; `strictness` is what is asked of files from now on.
    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    given = {"display_name": display_name, "description": description, "default_visibility": default_visibility, "strictness": strictness}
    async with transaction():
        row, actor = await locked_namespace(site, actor, uuid=namespace)
        changes: dict[str, Any] = {what: value for what, value in given.items() if value is not None and value != row[what]}
        if "display_name" in changes:
            check_line("display_name", changes["display_name"], most=LONGEST["display_name"])
        if "description" in changes:
            check_text("description", changes["description"], most=LONGEST["description"])
        if not changes:
            return
        columns = ", ".join(f"{column} = ${number}" for number, column in enumerate(changes, 2))
        await execute(f"UPDATE namespace SET {columns} WHERE id = $1", row["id"], *changes.values())
        details = {"changed": sorted(changes)} | {what: changes[what] for what in ("default_visibility", "strictness") if what in changes}
        await audit.record(actor=actor, action="namespace.update", subject=row["name"], namespace_id=row["id"], details=details)


async def locked_namespace(site: Site, actor: Actor, *, uuid: str | None = None, name: str = "", kind: str = "namespace") -> tuple[Row, Actor]:
    """A namespace that the actor administers, by its id or by its name, and the actor as it is now; nobody else changes it or publishes to it until
    the transaction ends. `kind` is what one that is not there is called.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    key, value, what = ("name_key", name_key(name), f"{kind} {name[:64]}") if uuid is None else ("uuid", uuid, f"{kind} with this id")
    statement = f"SELECT id, uuid, name, kind, display_name, description, default_visibility, strictness FROM namespace WHERE {key} = $1"
    for lock in ("", " {lock}"):  # who may not do it makes nobody wait
        row = await fetch_one(statement + lock, value) if uuid is not None or GRAMMAR.fullmatch(name) else None
        actor = await confirmed(actor) if lock else actor
        if row is None:
            raise not_found(what)
        require(site, actor, Level.ADMIN, On(row["id"], row["name"]))
    assert row is not None
    return row, actor
