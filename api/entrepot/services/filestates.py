"""What is said of files after their upload, of many at once: one key of their states, and the entries that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, marks, transaction
from entrepot.services import audit, files, heads, states
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.notices import tell_of_package
from entrepot.services.permissions import On, require
from entrepot.services.selections import MOST_FILES, FileSelection, selected

if TYPE_CHECKING:
    from entrepot.inspection import StoredFile
    from entrepot.packagetype import PackageType
    from entrepot.services.actors import Actor
    from entrepot.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What shall be said of files."""

    action: str
    """What the audit log calls it."""
    key: str
    """Of the files' states. It is in the details of the event too, where something is said."""
    say: Callable[[PackageType, StoredFile], Any]
    """The value for a file; None removes the key. Raises ValidationError for a file of which that cannot be said."""
    by_administrators: bool = False
    """Only who administers the namespace may say it. Else whoever may write to the package."""


async def change_files(site: Site, *, actor: Actor, selection: FileSelection, change: FileChange) -> list[str]:
    """Say something of files, of all of them or none; answers the ids of those of which something else was said before.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    async with transaction():
        found = (await selected(site, actor, selection)).or_raise()
        if change.by_administrators:
            await _require_administrator(site, actor, found)
        changed = await _write(site, [row["id"] for row in found], change)
        touched: list[heads.Touched] = []
        for type, rows in _by(changed, "type"):
            some, _ = await states.restated(site.registry.type_named(type), rows)
            touched += some
        for package_id, rows in _by(changed, "package_id"):
            await execute("UPDATE package SET updated_at = $1 WHERE id = $2", now(), package_id)
            await _record(actor, change, rows)
        await heads.bump(touched)
    for _, rows in _by(changed, "package_id"):
        tell_of_package(
            site, actor, namespace=rows[0]["namespace"], package=rows[0]["package"], action=change.action, files=[row["path"] for row in rows]
        )
    return [row["uuid"] for row in changed]


async def _require_administrator(site: Site, actor: Actor, rows: Sequence[Row]) -> None:
    """Of each namespace: whoever administers but a package of it changes no index that others rely on."""
    now_actor = await confirmed(actor)
    for namespace_id, name in {row["namespace_id"]: row["namespace"] for row in rows}.items():
        require(site, now_actor, Level.ADMIN, On(namespace_id, name))


async def _write(site: Site, ids: Sequence[int], change: FileChange) -> list[Row]:
    """Write the states of files, which are locked; answers those that differ from before, as `files.COLUMNS`."""
    changed: list[int] = []
    for start in range(0, len(ids), states.AT_ONCE):
        some = ids[start : start + states.AT_ONCE]
        rows = await _rows(some)
        for row, file in zip(rows, await files.stored_files(rows), strict=True):
            says = change.say(site.registry.type_named(row["type"]), file)
            if says != file.state.get(change.key):
                await execute("UPDATE file SET state = $1 WHERE id = $2", states.merged(row["state"], {change.key: says}), row["id"])
                changed.append(row["id"])
    return [row for start in range(0, len(changed), 500) for row in await _rows(changed[start : start + 500])]


async def _rows(ids: Sequence[int]) -> list[Row]:
    return await fetch(f"SELECT {files.COLUMNS} FROM {files.TABLES} WHERE file.id IN ({marks(ids)}) ORDER BY file.id", *ids)


async def _record(actor: Actor, change: FileChange, rows: Sequence[Row]) -> None:
    """One event for each package, with as many of its files as a selection may name."""
    first = rows[0]
    details: dict[str, Any] = {"type": first["type"], "changed": len(rows), "files": [row["path"] for row in rows[:MOST_FILES]]}
    said = orjson.loads(first["state"]).get(change.key)
    if said is not None:
        details[change.key] = said
    subject = f"{first['namespace']}/{first['package']}"
    await audit.record(actor=actor, action=change.action, subject=subject, namespace_id=first["namespace_id"], details=details)


def _by(rows: Sequence[Row], column: str) -> list[tuple[Any, list[Row]]]:
    """The rows in groups, by a column."""
    return [(key, list(some)) for key, some in groupby(sorted(rows, key=lambda row: (row[column], row["id"])), key=lambda row: row[column])]
