"""Hotfixes: what indexes say of a file instead of what the file says of itself. Kept beside it, never in it, and so undone at any time.

They are for who administers the namespace. What a hotfix may say, the file's type decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, marks, transaction
from entrepot.errors import ValidationError
from entrepot.services import audit, files, heads, states
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.notices import tell_of_package
from entrepot.services.permissions import On, require
from entrepot.services.selections import MOST_FILES, FileSelection, selected

if TYPE_CHECKING:
    from entrepot.packagetype import PackageType, StoredFile
    from entrepot.services.actors import Actor
    from entrepot.site import Site

KEY = "hotfix"
"""In the state of a file."""
LARGEST = 64 << 10
"""Of a hotfix, in bytes of JSON: each file of the selection keeps it."""

Says = Mapping[str, Any] | None


async def set_hotfix(site: Site, *, actor: Actor, selection: FileSelection, hotfix: Mapping[str, Any]) -> list[str]:
    """Let indexes say something else of files, in place of what an earlier hotfix has said; answers the ids of those that changed.

    All of them or none. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError for what the type of a file does not take.
    """
    _check(hotfix)
    return await _change(site, actor, selection, "hotfix.set", lambda type, file: type.hotfix(file, hotfix))


async def remove_hotfix(site: Site, *, actor: Actor, selection: FileSelection) -> list[str]:
    """Let indexes say again what files say of themselves; answers the ids of those that changed: a file without a hotfix stays as it is.

    All of them or none. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    return await _change(site, actor, selection, "hotfix.remove", lambda type, file: None)


def without_hotfix(state: str) -> str:
    """The state of a file in another namespace: what its administrators did not say, a mere writer shall not bring along."""
    return states.merged(state, {KEY: None})


def _check(hotfix: Mapping[str, Any]) -> None:
    """What needs no type to be judged. Raises ValidationError."""
    if not hotfix:
        raise ValidationError("The hotfix names no field. To undo one, remove it.", field="hotfix")
    try:
        size = len(orjson.dumps(hotfix))
    except TypeError as error:
        raise ValidationError("The hotfix holds a number beyond 64 bits, or half of a character.", field="hotfix") from error
    if size > LARGEST:
        raise ValidationError(f"The hotfix takes more than {LARGEST:,} bytes as JSON.", field="hotfix")


async def _change(site: Site, actor: Actor, selection: FileSelection, action: str, say: Callable[[PackageType, StoredFile], Says]) -> list[str]:
    async with transaction():
        found = (await selected(site, actor, selection)).or_raise()
        await _require_administrator(site, actor, found)
        changed = await _write(site, [row["id"] for row in found], say)
        touched: list[heads.Touched] = []
        for type, rows in _by(changed, "type"):
            some, _ = await states.restated(site.registry.type_named(type), rows)
            touched += some
        for package_id, rows in _by(changed, "package_id"):
            await execute("UPDATE package SET updated_at = $1 WHERE id = $2", now(), package_id)
            await _record(actor, action, rows)
        await heads.bump(touched)
    for _, rows in _by(changed, "package_id"):
        tell_of_package(site, actor, namespace=rows[0]["namespace"], package=rows[0]["package"], action=action, files=[row["path"] for row in rows])
    return [row["uuid"] for row in changed]


async def _require_administrator(site: Site, actor: Actor, rows: Sequence[Row]) -> None:
    """Of each namespace: whoever administers but a package of it changes no index that others rely on."""
    now_actor = await confirmed(actor)
    for namespace_id, name in {row["namespace_id"]: row["namespace"] for row in rows}.items():
        require(site, now_actor, Level.ADMIN, On(namespace_id, name))


async def _write(site: Site, ids: Sequence[int], say: Callable[[PackageType, StoredFile], Says]) -> list[Row]:
    """Write the states of files, which are locked; answers those that differ from before, as `files.COLUMNS`."""
    changed: list[int] = []
    for start in range(0, len(ids), states.AT_ONCE):
        some = ids[start : start + states.AT_ONCE]
        rows = await _rows(some)
        for row, file in zip(rows, await files.stored_files(rows), strict=True):
            says = say(site.registry.type_named(row["type"]), file)
            if says != file.state.get(KEY):
                await execute("UPDATE file SET state = $1 WHERE id = $2", states.merged(row["state"], {KEY: says}), row["id"])
                changed.append(row["id"])
    return [row for start in range(0, len(changed), 500) for row in await _rows(changed[start : start + 500])]


async def _rows(ids: Sequence[int]) -> list[Row]:
    return await fetch(f"SELECT {files.COLUMNS} FROM {files.TABLES} WHERE file.id IN ({marks(ids)}) ORDER BY file.id", *ids)


async def _record(actor: Actor, action: str, rows: Sequence[Row]) -> None:
    """One event for each package, with as many of its files as a selection may name."""
    first = rows[0]
    details: dict[str, Any] = {"type": first["type"], "changed": len(rows), "files": [row["path"] for row in rows[:MOST_FILES]]}
    if action == "hotfix.set":
        details[KEY] = orjson.loads(first["state"])[KEY]
    subject = f"{first['namespace']}/{first['package']}"
    await audit.record(actor=actor, action=action, subject=subject, namespace_id=first["namespace_id"], details=details)


def _by(rows: Sequence[Row], column: str) -> list[tuple[Any, list[Row]]]:
    """The rows in groups, by a column."""
    return [(key, list(some)) for key, some in groupby(sorted(rows, key=lambda row: (row[column], row["id"])), key=lambda row: row[column])]
