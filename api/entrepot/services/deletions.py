"""The end of an organization, with everything in it.

A large one goes in several transactions, each of them short, so that others can publish to their own namespaces meanwhile: first its files, a
thousand at a time, then the shards that were rendered of them, the tombstones, and the log of changes, and last, in one, whatever is left and the
namespace itself. Between two of them the organization is one whose administrator has removed files: indexes are right, rights are as they were. Where
it is cut short (a process dies, the administrator is none any more) it stays so, and deleting it again goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, transact
from entrepot.errors import ValidationError
from entrepot.hooks import FileEvent
from entrepot.services import audit, heads
from entrepot.services.notices import tell_of_files, tell_of_package
from entrepot.services.organizations import locked_namespace
from entrepot.services.permissions import not_found
from entrepot.services.removals import remove_rows
from entrepot.services.selections import COLUMNS, TABLES

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

AT_ONCE = 1000
"""How many files, or how many rows of another table, one transaction takes away."""

SHARDS = """DELETE FROM shard WHERE id IN (SELECT shard.id FROM shard JOIN head ON head.id = shard.head_id WHERE head.namespace_id = $1
    AND NOT EXISTS (SELECT 1 FROM file WHERE file.package_id = shard.package_id) LIMIT $2)"""

CHANGES = """DELETE FROM change WHERE id IN (SELECT change.id FROM change JOIN head ON head.id = change.head_id WHERE head.namespace_id = $1
    ORDER BY change.head_id, change.generation LIMIT $2)"""
TOMBSTONES = "DELETE FROM tombstone WHERE id IN (SELECT id FROM tombstone WHERE namespace_id = $1 LIMIT $2)"
PRUNED = "UPDATE head SET pruned = generation WHERE namespace_id = $1 AND pruned < generation"
"""Before the log goes: who renders from it reads everything anew."""
PAST_CHANGES = """DELETE FROM past_change WHERE id IN (SELECT past_change.id FROM past_change JOIN head ON head.id = past_change.head_id
    WHERE head.namespace_id = $1 LIMIT $2)"""
REMAINS = (SHARDS, TOMBSTONES, CHANGES, PAST_CHANGES)
"""What there may be a lot of besides files."""


class _Step(NamedTuple):
    """What one transaction has done."""

    organization: Row
    removed: list[FileEvent]
    packages: list[str] | None
    """The packages that went with the organization; None where it is still there."""


async def delete_organization(site: Site, *, actor: Actor, organization: str, confirmation: str) -> Row:
    """Delete an organization by its id: packages, files, labels, groups, tokens; answers what it was. Its name is taken for ever.

    `confirmation` must be its name. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    while True:
        step = await transact(lambda: _delete_some(site, actor, organization, confirmation))
        tell_of_files(site, "file_removed", step.removed)
        if step.packages is not None:
            for package in step.packages:
                tell_of_package(site, actor, namespace=step.organization["name"], package=package, action="package.delete")
            return step.organization


async def _delete_some(site: Site, actor: Actor, organization: str, confirmation: str) -> _Step:
    row, actor = await locked_namespace(site, actor, uuid=organization)
    if row["kind"] != "organization":
        raise not_found("organization with this id")
    if confirmation != row["name"]:
        raise ValidationError(f"To delete the organization with everything in it, confirm it by its full name: {row['name']}", field="confirmation")
    await fetch("SELECT id FROM package WHERE namespace_id = $1 ORDER BY id {lock}", row["id"])
    files = await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.namespace_id = $1 ORDER BY file.id LIMIT $2", row["id"], AT_ONCE)
    removal = await remove_rows(actor, files)
    if len(files) == AT_ONCE or await _more_remains(row["id"]):
        if files:
            await audit.record(actor=actor, action="organization.empty", subject=row["name"], namespace_id=row["id"], details={"files": len(files)})
            await heads.bump(removal.touched)
        return _Step(row, list(removal.events), None)
    packages = [one["name"] for one in await fetch("SELECT name FROM package WHERE namespace_id = $1 ORDER BY name_key", row["id"])]
    await audit.record(
        actor=actor,
        action="organization.delete",
        subject=row["name"],
        namespace_id=None,  # of which there is none any more: those who administer the site can read it
        details={"files": len(files), "packages": len(packages)},
    )
    await execute("INSERT INTO freed_namespace (name_key, freed_at) VALUES ($1, $2) ON CONFLICT (name_key) DO NOTHING", row["name"].lower(), now())
    await execute("DELETE FROM namespace WHERE id = $1", row["id"])  # with its heads, whose ids nothing has again: no cache can serve what was theirs
    return _Step(row, list(removal.events), packages)


async def _more_remains(namespace_id: int) -> bool:
    """Take away some of what would go with the namespace; answers whether there may be more of it."""
    await execute(PRUNED, namespace_id)
    for statement in REMAINS:
        if await execute(statement, namespace_id, AT_ONCE) == AT_ONCE:
            return True
    return False
