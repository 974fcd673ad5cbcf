"""Collaborators: users who may write to one package of somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import Row, fetch, transaction
from entrepot.errors import ValidationError
from entrepot.services import audit
from entrepot.services.grants import Level
from entrepot.services.memberships import active_person_named, person_named
from entrepot.services.namespaces import name_key
from entrepot.services.selections import locked_package

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site


async def add_collaborator(site: Site, *, actor: Actor, package: str, user: str) -> bool:
    """Let a user, by name, write to a package, by its id; answers whether that changed anything.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError for the package's own namespace and for an organization, Conflict for a
    disabled user.
    """
    async with transaction():
        row = await locked_package(site, actor, Level.ADMIN, uuid=package)
        person = await active_person_named(user)
        if person["id"] == row["namespace_id"]:
            raise ValidationError(f"{person['name']} owns the package, and needs not be its collaborator.", field="user")
        added = await fetch(
            "INSERT INTO collaborator (package_id, user_id, added_at) VALUES ($1, $2, $3) ON CONFLICT (package_id, user_id) DO NOTHING RETURNING id",
            row["package_id"],
            person["id"],
            now(),
        )
        if added:
            await _record(actor, row, "collaborator.add", person)
    return bool(added)


async def remove_collaborator(site: Site, *, actor: Actor, package: str, user: str) -> bool:
    """End that a user, by name, may write to a package, by its id; answers whether that changed anything. Collaborators may leave by themselves.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    himself = name_key(user) == name_key(actor.name)
    async with transaction():
        row = await locked_package(site, actor, Level.WRITE if himself else Level.ADMIN, uuid=package)
        person = await person_named(user)
        removed = await fetch("DELETE FROM collaborator WHERE package_id = $1 AND user_id = $2 RETURNING id", row["package_id"], person["id"])
        if removed:
            await _record(actor, row, "collaborator.remove", person)
    return bool(removed)


async def _record(actor: Actor, row: Row, action: str, person: Row) -> None:
    subject = f"{row['namespace']}/{row['package']}"
    await audit.record(actor=actor, action=action, subject=subject, namespace_id=row["namespace_id"], details={"user": person["name"]})
