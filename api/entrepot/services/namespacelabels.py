"""Labels as things of a namespace: created, copied, moved, deleted, locked. All of it is for who administers the namespace.

Each change holds the namespace alone, then the packages whose files it is about: so it knows which index documents it touches, and what it says of
a lock holds from its commit on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, transaction
from entrepot.errors import Conflict, NotFound, ValidationError
from entrepot.services import audit, heads
from entrepot.services.labels import MAIN, label_name
from entrepot.services.notices import tell_of_package
from entrepot.services.organizations import locked_namespace

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = "id, uuid, namespace_id, name, locked_at, created_at"
WITHOUT = "NOT EXISTS (SELECT 1 FROM file_label AS other WHERE other.file_id = file_label.file_id AND other.label_id = $2)"
"""That a file which has one label does not have another, `$2`."""


class LabelChange(NamedTuple):
    """The label that was made or changed, or the one that was deleted, and how many files got or lost it."""

    label: Row
    files: int


async def create_label(site: Site, *, actor: Actor, namespace: str, label: str) -> Row:
    """Create a label that no file has yet; answers it. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Conflict."""
    name = label_name(label, field="label")
    async with transaction():
        owner, actor = await locked_namespace(site, actor, name=namespace)
        if await _find(owner, name) is not None:
            raise Conflict(f"{owner['name']} has a label {name} already.")
        made = await _make(owner, name)
        await _record(actor, owner, "label.create", name)
    return made


async def copy_label(site: Site, *, actor: Actor, namespace: str, source: str, target: str) -> LabelChange:
    """Put `target` on every file that has `source`; a target that is not there is made. Counts the files that had not had it.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    return await _spread(site, actor, namespace, source, target, "label.copy")


async def move_label(site: Site, *, actor: Actor, namespace: str, source: str, target: str) -> LabelChange:
    """Take `source` off every file that has it, and put `target` there; the source stays, on no file. Counts the files that had the source.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    return await _spread(site, actor, namespace, source, target, "label.move")


async def delete_label(site: Site, *, actor: Actor, namespace: str, label: str) -> LabelChange:
    """Take a label off every file and delete it. Files that are left without any are there as before, and no channel offers them.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    name = label_name(label, field="label")
    if name == MAIN:
        raise ValidationError("The label main cannot be deleted: it is what files get that are uploaded without a label.", field="label")
    async with transaction():
        owner, actor = await locked_namespace(site, actor, name=namespace)
        row = await _existing(owner, name)
        packages = await _hold_packages(row)
        touched, files = await _shown(row, name) + await _withdrawn(row), await _count(row)
        await execute("DELETE FROM file_label WHERE label_id = $1", row["id"])
        await execute("DELETE FROM label WHERE id = $1", row["id"])
        await _record(actor, owner, "label.delete", name, files=files)
        await heads.bump(touched)
    _tell(site, actor, owner, packages, "label.delete", label=name)
    return LabelChange(row, files)


async def lock_label(site: Site, *, actor: Actor, namespace: str, label: str) -> Row:
    """Lock a label: from now on only who administers the namespace puts it on files, takes it off, or removes files that have it.

    One that is locked stays as it is. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    return await _set_lock(site, actor, namespace, label, locked_at=now())


async def unlock_label(site: Site, *, actor: Actor, namespace: str, label: str) -> Row:
    """Undo a lock; a label that is not locked stays as it is. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError."""
    return await _set_lock(site, actor, namespace, label, locked_at=None)


async def _set_lock(site: Site, actor: Actor, namespace: str, label: str, *, locked_at: int | None) -> Row:
    name = label_name(label, field="label")
    async with transaction():
        owner, actor = await locked_namespace(site, actor, name=namespace)
        row = await _existing(owner, name)
        if (row["locked_at"] is None) != (locked_at is None):
            await execute("UPDATE label SET locked_at = $1 WHERE id = $2", locked_at, row["id"])
            await _record(actor, owner, "label.unlock" if locked_at is None else "label.lock", name)
            row = await _existing(owner, name)
    return row


async def _spread(site: Site, actor: Actor, namespace: str, source: str, target: str, action: str) -> LabelChange:
    """What copying and moving have in common."""
    names = label_name(source, field="from"), label_name(target, field="to")
    if names[0] == names[1]:
        raise ValidationError("The two labels are one and the same. Name another one to copy or move to.", field="to")
    async with transaction():
        owner, actor = await locked_namespace(site, actor, name=namespace)
        old = await _existing(owner, names[0])
        new = await _find(owner, names[1]) or await _make(owner, names[1])
        packages = await _hold_packages(old)
        touched, files = await _shown(old, names[1], without=new), await _count(old, without=new)
        await execute(
            f"INSERT INTO file_label (file_id, label_id) SELECT file_id, CAST($2 AS BIGINT) FROM file_label WHERE label_id = $1 AND {WITHOUT}",
            old["id"],
            new["id"],
        )
        if action == "label.move":
            touched += await _shown(old, names[0])
            files = await _count(old)
            await execute("DELETE FROM file_label WHERE label_id = $1", old["id"])
        await _record(actor, owner, action, names[0], to=names[1], files=files)
        await heads.bump(touched)
    _tell(site, actor, owner, packages, action, label=names[0], to=names[1])
    return LabelChange(new, files)


async def _hold_packages(label: Row) -> Sequence[Row]:
    """The packages of which a file has the label, locked."""
    return await fetch(
        """SELECT id, name FROM package
        WHERE id IN (SELECT file.package_id FROM file_label JOIN file ON file.id = file_label.file_id WHERE file_label.label_id = $1)
        ORDER BY id {lock}""",
        label["id"],
    )


async def _find(owner: Row, name: str) -> Row | None:
    return await fetch_one(f"SELECT {COLUMNS} FROM label WHERE namespace_id = $1 AND name = $2", owner["id"], name)


async def _existing(owner: Row, name: str) -> Row:
    """Raises NotFound."""
    row = await _find(owner, name)
    if row is None:
        raise NotFound(f"{owner['name']} has no label {name}.")
    return row


async def _make(owner: Row, name: str) -> Row:
    [row] = await fetch(
        f"INSERT INTO label (uuid, namespace_id, name, created_at) VALUES ($1, $2, $3, $4) RETURNING {COLUMNS}", new_uuid(), owner["id"], name, now()
    )
    return row


async def _shown(label: Row, under: str, *, without: Row | None = None) -> list[heads.Touched]:
    """What the files with a label show in the documents of the label `under`; not those that have the other label already."""
    rows = await fetch(
        f"""SELECT DISTINCT entry.type, entry.document, entry.part FROM file_label JOIN entry ON entry.file_id = file_label.file_id
        WHERE file_label.label_id = $1{f" AND {WITHOUT}" if without else ""}""",
        label["id"],
        *([without["id"]] if without else []),
    )
    return [heads.Touched(label["namespace_id"], row["type"], under, row["document"], row["part"]) for row in rows]


async def _withdrawn(label: Row) -> list[heads.Touched]:
    """What will tell of the files that have this label alone, when they have none."""
    rows = await fetch(
        """SELECT DISTINCT entry.type, entry.document, entry.part FROM file_label JOIN entry ON entry.file_id = file_label.file_id
        WHERE file_label.label_id = $1
        AND NOT EXISTS (SELECT 1 FROM file_label AS other WHERE other.file_id = file_label.file_id AND other.label_id <> $1)""",
        label["id"],
    )
    return [heads.Touched(label["namespace_id"], row["type"], MAIN, row["document"], row["part"]) for row in rows]


async def _count(label: Row, *, without: Row | None = None) -> int:
    condition, more = (f" AND {WITHOUT}", [without["id"]]) if without else ("", [])
    [row] = await fetch(f"SELECT COUNT(*) AS files FROM file_label WHERE label_id = $1{condition}", label["id"], *more)
    return int(row["files"])


async def _record(actor: Actor, owner: Row, action: str, label: str, **details: Any) -> None:
    await audit.record(actor=actor, action=action, subject=f"{owner['name']}: {label}", namespace_id=owner["id"], details=details)


def _tell(site: Site, actor: Actor, owner: Row, packages: Sequence[Row], action: str, **details: Any) -> None:
    for package in packages:
        tell_of_package(site, actor, namespace=owner["name"], package=package["name"], action=action, **details)
