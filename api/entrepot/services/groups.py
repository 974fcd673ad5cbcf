"""Groups of an organization: members × packages × one permission.

Who administers the organization administers its groups. The group `owners` alone is changed by owners and by the administrators of the site: whoever
was given *admin* could otherwise take the organization over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, transaction
from entrepot.errors import Conflict, PermissionDenied, ValidationError
from entrepot.services import audit
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.memberships import OWNERS, active_person_named, groups_of, knows, person_named
from entrepot.services.namespaces import GRAMMAR, name_key
from entrepot.services.organizations import locked_namespace
from entrepot.services.permissions import API_READ, API_WRITE, On, not_found, require, require_scope, require_site_admin, sees

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

STANDS = f"The group {OWNERS} keeps its name, its permission and its reach, and stays for as long as the organization does. Make another group."


async def create_group(site: Site, *, actor: Actor, organization: str, name: str, permission: Level, everything: bool = False) -> str:
    """Create a group without members in the organization of that name; answers its id.

    `everything`: it is about every package, also those to come, and the organization itself; else about the packages that are added to it.
    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Conflict.
    """
    async with transaction():
        found, actor = await locked_namespace(site, actor, name=organization, kind="organization")
        if found["kind"] != "organization":
            raise ValidationError(f"{found['name']} is a user, and users have no groups. Name an organization.", field="organization")
        await _check_name(found["id"], name)
        _check_permission(permission)
        uuid = new_uuid()
        await execute(
            "INSERT INTO member_group (uuid, namespace_id, name, name_key, permission, everything, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            uuid,
            found["id"],
            name,
            name_key(name),
            permission.name.lower(),
            everything,
            now(),
        )
        details = {"permission": permission.name.lower(), "everything": everything}
        await audit.record(actor=actor, action="group.create", subject=f"{found['name']}: {name}", namespace_id=found["id"], details=details)
    return uuid


async def update_group(
    site: Site, *, actor: Actor, group: str, name: str | None = None, permission: Level | None = None, everything: bool | None = None
) -> None:
    """Change what is given (None: leave it) of a group, by its id. One that comes to be about everything forgets the packages it was about.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Conflict.
    """
    async with transaction():
        row, actor = await _managed(site, actor, group)
        changes = _changes(row, name, permission, everything)
        if not changes:
            return
        if row["name_key"] == OWNERS:
            raise Conflict(STANDS)
        if "name" in changes:
            await _check_name(row["namespace_id"], changes["name"], of=row["id"])
        columns = ", ".join(f"{column} = ${number}" for number, column in enumerate(changes, 2))
        await execute(f"UPDATE member_group SET {columns} WHERE id = $1", row["id"], *changes.values())
        if changes.get("everything"):
            await execute("DELETE FROM group_package WHERE group_id = $1", row["id"])
        await _record(actor, row, "group.update", **{what: value for what, value in changes.items() if what != "name_key"})


def _changes(row: Row, name: str | None, permission: Level | None, everything: bool | None) -> dict[str, Any]:
    if permission is not None:
        _check_permission(permission)
    wanted = {"name": name, "permission": permission and permission.name.lower(), "everything": everything}
    changes = {what: value for what, value in wanted.items() if value is not None and value != row[what]}
    return changes | ({"name_key": name_key(name)} if name is not None and "name" in changes else {})


async def delete_group(site: Site, *, actor: Actor, group: str) -> Row:
    """Delete a group by its id; what its members could do through it they cannot do any more. Answers what it was.

    Raises NotFound, Unauthenticated, PermissionDenied, Conflict for `owners`.
    """
    async with transaction():
        row, actor = await _managed(site, actor, group)
        if row["name_key"] == OWNERS:
            raise Conflict(STANDS)
        await execute("DELETE FROM member_group WHERE id = $1", row["id"])
        await _record(actor, row, "group.delete")
    return row


async def add_member(site: Site, *, actor: Actor, group: str, user: str) -> bool:
    """Add a user, by name, to a group, by its id; answers whether that changed anything.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError for an organization, Conflict for a disabled user.
    """
    async with transaction():
        row, actor = await _managed(site, actor, group)
        person = await active_person_named(user)
        added = await fetch(
            "INSERT INTO group_member (group_id, user_id, added_at) VALUES ($1, $2, $3) ON CONFLICT (group_id, user_id) DO NOTHING RETURNING id",
            row["id"],
            person["id"],
            now(),
        )
        if added:
            await _record(actor, row, "group.add-member", user=person["name"])
    return bool(added)


async def remove_member(site: Site, *, actor: Actor, group: str, user: str) -> bool:
    """Take a user, by name, out of a group, by its id; answers whether that changed anything. Members may leave by themselves.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Conflict where no owner would be left who is not disabled.
    """
    async with transaction():
        row, actor, person = await _left(site, actor, group, user)
        removed = await fetch("DELETE FROM group_member WHERE group_id = $1 AND user_id = $2 RETURNING id", row["id"], person["id"])
        if removed:
            await _keep_an_owner(row, person)
            await _record(actor, row, "group.remove-member", user=person["name"])
    return bool(removed)


async def _left(site: Site, actor: Actor, group: str, user: str) -> tuple[Row, Actor, Row]:
    """The group and the user whom the actor may take out of it: whoever manages it anybody, and members themselves."""
    for locks in (False, True):
        row, actor = await _known(actor, group, locks=locks)
        person = await person_named(user)
        if actor.package_id is None and person["id"] == actor.namespace_id:
            require_scope(actor, *API_WRITE)
        else:
            await _require_manager(site, actor, row)
    return row, actor, person


async def _keep_an_owner(row: Row, gone: Row) -> None:
    """Raises Conflict where nobody is left to own the organization: no two can leave it at once, for the namespace's row is locked."""
    if row["name_key"] != OWNERS:
        return
    left = await fetch(
        """SELECT "user".disabled_at FROM group_member JOIN "user" ON "user".namespace_id = group_member.user_id WHERE group_member.group_id = $1""",
        row["id"],
    )
    if not left or (gone["disabled_at"] is None and all(one["disabled_at"] is not None for one in left)):
        raise Conflict(
            f"{gone['name']} is the last owner of {row['namespace']} who is not disabled. Add another one first, or delete the organization."
        )


async def add_package(site: Site, *, actor: Actor, group: str, package: str) -> bool:
    """Add a package of the organization to a group, both by their ids; answers whether that changed anything.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError for a package of somebody else, Conflict for a group on everything.
    """
    async with transaction():
        row, actor = await _managed(site, actor, group)
        if row["everything"]:
            raise Conflict(f"The group {row['name']} is about every package of {row['namespace']} already. Narrow it first.")
        found = await _package(site, actor, row, package)
        added = await fetch(
            "INSERT INTO group_package (group_id, package_id) VALUES ($1, $2) ON CONFLICT (group_id, package_id) DO NOTHING RETURNING id",
            row["id"],
            found["package_id"],
        )
        if added:
            await _record(actor, row, "group.add-package", package=found["package"])
    return bool(added)


async def remove_package(site: Site, *, actor: Actor, group: str, package: str) -> bool:
    """Take a package out of a group, both by their ids; answers whether that changed anything.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError for a package of somebody else.
    """
    async with transaction():
        row, actor = await _managed(site, actor, group)
        found = await _package(site, actor, row, package)
        removed = await fetch("DELETE FROM group_package WHERE group_id = $1 AND package_id = $2 RETURNING id", row["id"], found["package_id"])
        if removed:
            await _record(actor, row, "group.remove-package", package=found["package"])
    return bool(removed)


async def _package(site: Site, actor: Actor, row: Row, uuid: str) -> Row:
    """A package of the group's organization, which stays there until the running transaction ends. Raises NotFound, ValidationError."""
    await fetch("SELECT id FROM package WHERE uuid = $1 {share}", uuid)
    found = await fetch_one(
        """SELECT package.id AS package_id, package.name AS package, package.private, package.namespace_id, namespace.name AS namespace
        FROM package JOIN namespace ON namespace.id = package.namespace_id WHERE package.uuid = $1""",
        uuid,
    )
    if found is None or not sees(site, actor, On.package_of(found), needs=(*API_READ, *API_WRITE)):
        raise not_found("package with this id")
    if found["namespace_id"] != row["namespace_id"]:
        raise ValidationError(
            f"{found['namespace']}/{found['package']} is no package of {row['namespace']}: its groups are about its own packages.", field="package_id"
        )
    return found


async def _managed(site: Site, actor: Actor, uuid: str) -> tuple[Row, Actor]:
    """A group that the actor may change, locked with all groups of its organization; and the actor as it is now."""
    for locks in (False, True):  # who may not do it makes nobody wait
        row, actor = await _known(actor, uuid, locks=locks)
        await _require_manager(site, actor, row)
    return row, actor


async def _known(actor: Actor, uuid: str, *, locks: bool) -> tuple[Row, Actor]:
    """A group that the actor may know of, and the actor; with locks all groups of its organization are held, and both are as they are now.

    Raises NotFound.
    """
    if locks:
        await fetch("SELECT id FROM namespace WHERE id = (SELECT namespace_id FROM member_group WHERE uuid = $1) {lock}", uuid)
        actor = await confirmed(actor)
    row = await fetch_one(
        """SELECT member_group.id, member_group.uuid, member_group.namespace_id, namespace.name AS namespace, member_group.name,
        member_group.name_key, member_group.permission, member_group.everything
        FROM member_group JOIN namespace ON namespace.id = member_group.namespace_id WHERE member_group.uuid = $1""",
        uuid,
    )
    if row is None or not await knows(actor, row["namespace_id"]):
        raise not_found("group with this id")
    return row, actor


async def _require_manager(site: Site, actor: Actor, row: Row) -> None:
    """Let pass who may change a group. Raises PermissionDenied."""
    require(site, actor, Level.ADMIN, On(row["namespace_id"], row["namespace"]))
    if row["name_key"] == OWNERS and row["id"] not in (await groups_of(actor, [row["namespace_id"]]))[row["namespace_id"]]:
        try:
            require_site_admin(actor)
        except PermissionDenied:
            raise PermissionDenied(
                f"{actor.name} may not change who owns {row['namespace']}: its owners do, and the administrators of this site."
            ) from None


async def _check_name(namespace_id: int, name: str, *, of: int | None = None) -> None:
    """Raises ValidationError for what can be no group's name, Conflict for one that another group has."""
    if not GRAMMAR.fullmatch(name):
        raise ValidationError(
            f"{name[:80]!r} cannot be the name of a group: use 1 to 64 letters (a-z), digits, '-', '_', '.', beginning with a letter or digit.",
            field="name",
        )
    taken = await fetch_one("SELECT id, name FROM member_group WHERE namespace_id = $1 AND name_key = $2", namespace_id, name_key(name))
    if taken is not None and taken["id"] != of:
        raise Conflict(f"There is a group {taken['name']} already. Choose another name.")


def _check_permission(permission: Level) -> None:
    if permission is Level.NONE:
        raise ValidationError("A group gives read, write or admin. To give nothing, delete it.", field="permission")


async def _record(actor: Actor, row: Row, action: str, **details: Any) -> None:
    await audit.record(actor=actor, action=action, subject=f"{row['namespace']}: {row['name']}", namespace_id=row["namespace_id"], details=details)
