"""Locked labels: only who administers the namespace changes which files have one. That counts for the removal of such a file too, because it changes
the label's channel all the same.

`lockLabel` holds the namespace alone, and whoever changes files holds it in share: once a lock is answered, nothing that has passed over it commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, marks
from entrepot.errors import PermissionDenied
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.permissions import given
from entrepot.services.selections import Address, FileSelection, Refused, Selected

if TYPE_CHECKING:
    from entrepot.services.actors import Actor

CHUNK = 500


def refused_by_lock(actor: Actor, *, namespace_id: int, label: str) -> PermissionDenied | None:
    """Why the actor may not change which files have a locked label; None for who administers the namespace."""
    if given(actor, namespace_id=namespace_id, package_id=None) >= Level.ADMIN:
        return None
    return PermissionDenied(f"The label {label} is locked. Ask an administrator of the namespace, or use another label.")


async def require_unlocked(actor: Actor, rows: Sequence[Row]) -> None:
    """Let pass a change that takes files out of all their channels. Raises PermissionDenied. Rows are those of `selections.COLUMNS`, locked."""
    for refusal in (await _refusals(actor, rows)).values():
        raise refusal


async def without_locked(actor: Actor, selection: FileSelection, found: Selected) -> Selected:
    """What was found of a selection, without the files that a locked label keeps from being removed: these are refused."""
    refusals = await _refusals(actor, found.rows)
    kept = [row for row in found.rows if row["id"] not in refusals]
    refused = [Refused(_named(selection, row), refusals[row["id"]]) for row in found.rows if row["id"] in refusals]
    return Selected(kept, (*found.refused, *refused)) if refused else found


def _named(selection: FileSelection, row: Row) -> str:
    """A file as the request has named it."""
    return str(row["uuid"]) if selection.ids is not None else str(Address(row["namespace"], row["type"], row["path"]))


async def _refusals(actor: Actor, rows: Sequence[Row]) -> dict[int, PermissionDenied]:
    """By the ids of files: why they may not be removed. Judges the actor as it is now, if there is anything to judge."""
    locked: list[Row] = []
    for start in range(0, len(rows), CHUNK):
        ids = [row["id"] for row in rows[start : start + CHUNK]]
        locked += await fetch(
            f"""SELECT file_label.file_id, label.namespace_id, label.name FROM file_label JOIN label ON label.id = file_label.label_id
            WHERE label.locked_at IS NOT NULL AND file_label.file_id IN ({marks(ids)}) ORDER BY file_label.file_id, label.name""",
            *ids,
        )
    if not locked:
        return {}
    now_actor = await confirmed(actor)
    found: dict[int, PermissionDenied] = {}
    for row in locked:
        refusal = refused_by_lock(now_actor, namespace_id=row["namespace_id"], label=row["name"])
        if refusal is not None:
            found.setdefault(row["file_id"], refusal)
    return found
