"""Transfer: a package goes to another namespace with all that belongs to it, in one transaction.

Files keep their rows, and so their ids, releases, downloads and extras; what changes is the namespace that they are in, their labels, which are the
target's of the same names, and the heads of every document that showed them or shows them now. What stays behind are reserved names and tombstones
that say where package and files went. A package of 100,000 files takes seconds, in which publishers to it wait, and on SQLite everybody who writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tortoise.exceptions import IntegrityError

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, fetch_one, marks, transact
from entrepot.errors import Conflict, Unavailable, ValidationError
from entrepot.services import audit, heads
from entrepot.services.collisions import collisions, refusal
from entrepot.services.credentials import confirmed
from entrepot.services.freed import free_names, spellings, take_names
from entrepot.services.grants import Level
from entrepot.services.labelled import chunks
from entrepot.services.labels import label_ids
from entrepot.services.locks import refused_by_lock
from entrepot.services.namespaces import name_key
from entrepot.services.notices import tell_of_package
from entrepot.services.permissions import On, not_found, require
from entrepot.services.removals import shown_in
from entrepot.services.selections import locked_package
from entrepot.services.states import restate_package

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

TRIES = 4
"""How often a transfer is tried that meets another change of the same names."""
AT_ONCE = 1_000
"""Files in one statement."""
SAME = "The package is in {namespace} already. Name another namespace."


async def transfer_package(site: Site, *, actor: Actor, package: str, to: str) -> Row:
    """Transfer a package, by its id, to the namespace of this name; answers what it was (a row of `selections.locked_package`).

    Takes an administrator of the package and of the target. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Unavailable, and one
    Conflict that names all that is in the way.
    """
    for left in reversed(range(TRIES)):
        try:
            row, target = await transact(lambda: _transfer(site, actor, package, to))
        except IntegrityError as error:  # a package, name or path that came to be in the target meanwhile: the next try sees and names it
            if not left:
                raise Unavailable("Other changes of the same package or names got in the way. Try again.") from error
        else:
            break
    tell_of_package(site, actor, namespace=row["namespace"], package=row["package"], action="package.transfer", to=target["name"])
    tell_of_package(site, actor, namespace=target["name"], package=row["package"], action="package.receive", moved_from=row["namespace"])
    return row


async def _transfer(site: Site, actor: Actor, package: str, to: str) -> tuple[Row, Row]:
    row, target, actor = await _locked(site, actor, package, to)
    await _require_unlocked(actor, row)
    problems = await collisions(row["package_id"], target)
    if problems:
        raise Conflict(refusal(f"{row['namespace']}/{row['package']}", target["name"], problems))
    package_id, namespace_id = row["package_id"], row["namespace_id"]
    touched = await shown_in("file.package_id = $1", package_id)
    names = spellings(site.registry, row["package"])
    names |= {one["name"] for one in await fetch("SELECT name FROM binding WHERE package_id = $1", package_id)}
    await take_names(site, actor, On(target["id"], target["name"]), names=names, knowingly=True)
    await free_names(row, moved=True)
    await _leave_tombstones(actor, package_id)
    # indexes name them for a while yet, but who reads the old namespace may not read the package any more
    await execute("DELETE FROM shard WHERE package_id = $1 AND head_id IN (SELECT id FROM head WHERE namespace_id = $2)", package_id, namespace_id)
    await execute("DELETE FROM group_package WHERE package_id = $1", package_id)
    await execute("DELETE FROM collaborator WHERE package_id = $1 AND user_id = $2", package_id, target["id"])  # who owns it now is none
    at = now()
    await execute("UPDATE package SET namespace_id = $1, updated_at = $2 WHERE id = $3", target["id"], at, package_id)
    await execute("UPDATE binding SET namespace_id = $1 WHERE package_id = $2", target["id"], package_id)
    count = await _move_files(package_id, target["id"])
    await _relabel(actor, package_id, old=namespace_id, new=target["id"])
    await restate_package(site, package_id)
    await _record(actor, row, target, count)
    await heads.bump([*touched, *await shown_in("file.package_id = $1", package_id)], hiding=not row["private"])
    return row, target


async def _locked(site: Site, actor: Actor, package: str, to: str) -> tuple[Row, Row, Actor]:
    """The package and the target, locked and judged, and the actor as it is now. Both namespaces are taken in the order of their ids."""
    found = await fetch_one("SELECT namespace_id FROM package WHERE uuid = $1", package)
    target = await fetch_one("SELECT id FROM namespace WHERE name_key = $1", name_key(to))
    ids = sorted({one[key] for one, key in ((found, "namespace_id"), (target, "id")) if one is not None})
    await fetch(f"SELECT id FROM namespace WHERE id IN ({marks(ids)}) ORDER BY id {{share}}", *ids)
    row = await locked_package(site, actor, Level.ADMIN, uuid=package)
    if row["namespace_id"] not in ids:
        raise IntegrityError("the package was transferred by another transaction just now")
    actor = await confirmed(actor)
    target = await fetch_one('SELECT id, name, "replace" FROM namespace WHERE name_key = $1', name_key(to))
    if target is None:
        raise not_found(f"namespace {to[:64]}")
    require(site, actor, Level.ADMIN, On(target["id"], target["name"]))
    if target["id"] == row["namespace_id"]:
        raise ValidationError(SAME.format(namespace=target["name"]), field="namespace")
    return row, target, actor


async def _require_unlocked(actor: Actor, row: Row) -> None:
    """Let pass who may take files out of the channels of the old namespace, whose labels may be locked. Raises PermissionDenied."""
    locked = await fetch_one(
        """SELECT label.name FROM file JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE file.package_id = $1 AND label.locked_at IS NOT NULL ORDER BY label.name LIMIT 1""",
        row["package_id"],
    )
    refusal = locked and refused_by_lock(actor, namespace_id=row["namespace_id"], label=locked["name"])
    if refusal:
        raise refusal


async def _leave_tombstones(actor: Actor, package_id: int) -> None:
    """In the old namespace, one for each file."""
    await execute(
        """INSERT INTO tombstone (namespace_id, type, path, sha256, removed_at, removed_by, moved_to_id)
        SELECT namespace_id, type, path, sha256, CAST($1 AS BIGINT), CAST($2 AS VARCHAR(64)), id FROM file WHERE package_id = $3 ORDER BY id""",
        now(),
        actor.name,
        package_id,
    )


async def _move_files(package_id: int, namespace_id: int) -> int:
    """Give the files of a package, and their entries, another namespace; answers how many files there are."""
    ids = [row["id"] for row in await fetch("SELECT id FROM file WHERE package_id = $1 ORDER BY id", package_id)]
    for some in chunks(ids, AT_ONCE):
        await execute(f"UPDATE file SET namespace_id = $1 WHERE id IN ({marks(some, 2)})", namespace_id, *some)
        await execute(f"UPDATE entry SET namespace_id = $1 WHERE file_id IN ({marks(some, 2)})", namespace_id, *some)
    return len(ids)


async def _relabel(actor: Actor, package_id: int, *, old: int, new: int) -> None:
    """Give the files the labels of the same names in their new namespace, made where they are missing."""
    rows = await fetch(
        """SELECT DISTINCT label.id, label.name FROM file JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE file.package_id = $1 AND label.namespace_id = $2 ORDER BY label.name""",
        package_id,
        old,
    )
    if not rows:
        return
    there = await label_ids(actor, namespace_id=new, names=[row["name"] for row in rows])
    for row in rows:
        await execute(
            "UPDATE file_label SET label_id = $1 WHERE label_id = $2 AND file_id IN (SELECT id FROM file WHERE package_id = $3)",
            there[row["name"]],
            row["id"],
            package_id,
        )


async def _record(actor: Actor, row: Row, target: Row, count: int) -> None:
    """One event in the log of either side."""
    here, there = f"{row['namespace']}/{row['package']}", f"{target['name']}/{row['package']}"
    sides: list[tuple[str, str, int, dict[str, Any]]] = [
        ("package.transfer", here, row["namespace_id"], {"to": there}),
        ("package.receive", there, target["id"], {"from": here}),
    ]
    for action, subject, namespace_id, details in sides:
        await audit.record(actor=actor, action=action, subject=subject, namespace_id=namespace_id, details={**details, "files": count})
