"""Removing files: what goes with them, what stays of them, and which index documents change. In the caller's transaction, which holds the locks.

A tombstone stays of each file. A release without files goes. A package without files stays, and so do its bindings: its names and what was said of
them (project status, dist-tags) belong to it until the package itself is deleted. Bytes stay until they are collected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, marks
from entrepot.hooks import FileEvent
from entrepot.services import blobs
from entrepot.services.heads import MAIN, Touched
from entrepot.services.locks import require_unlocked
from entrepot.services.notices import file_event

if TYPE_CHECKING:
    from entrepot.services.actors import Actor

SHOWN = """SELECT DISTINCT file.namespace_id, file.type, label.name AS label, entry.document, entry.part
    FROM file JOIN entry ON entry.file_id = file.id JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
    WHERE {where}"""
WITHDRAWN = """SELECT DISTINCT file.namespace_id, file.type, entry.document, entry.part
    FROM file JOIN entry ON entry.file_id = file.id
    WHERE {where} AND NOT EXISTS (SELECT 1 FROM file_label WHERE file_label.file_id = file.id)"""
CHUNK = 500


class Removal(NamedTuple):
    """What a removal leaves to do: bump the heads as the transaction's last act, and tell of the files after the commit."""

    touched: Sequence[Touched]
    events: Sequence[FileEvent]


async def shown_in(where: str, *values: Any) -> list[Touched]:
    """Every part of a document, under each label, that shows a file for which a condition on `file` holds, be it as withdrawn."""
    rows = await fetch(SHOWN.format(where=where), *values)
    labelled = [Touched(row["namespace_id"], row["type"], row["label"], row["document"], row["part"]) for row in rows]
    return labelled + await withdrawn_in(where, *values)


async def withdrawn_in(where: str, *values: Any) -> list[Touched]:
    """Every part of a document that tells of a file without a label, for which a condition on `file` holds: those of `main` do."""
    rows = await fetch(WITHDRAWN.format(where=where), *values)
    return [Touched(row["namespace_id"], row["type"], MAIN, row["document"], row["part"]) for row in rows]


async def remove_rows(actor: Actor, rows: Sequence[Row], *, moved_to: int | None = None) -> Removal:
    """Remove files, given as rows of `selections.COLUMNS`. `moved_to`: the namespace that has them now, at the same paths.

    Raises PermissionDenied for a file that a locked label keeps from the actor.
    """
    await require_unlocked(actor, rows)
    touched: list[Touched] = []
    events: list[FileEvent] = []
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        ids = [row["id"] for row in some]
        where = f"file.id IN ({marks(ids)})"
        touched += await shown_in(where, *ids)
        labels = await _labels(where, ids)
        events += [file_event(row, labels[row["id"]], actor) for row in some]
        await _leave_tombstones(where, ids, actor, moved_to)
        if moved_to is not None:
            await _lead_on(ids, moved_to)
        await blobs.touch(where, *ids)
        await execute(f"DELETE FROM file WHERE {where}", *ids)  # with its entries, labels, extras and counts
    await _remove_empty_releases(sorted({row["release_id"] for row in rows}))
    packages = sorted({row["package_id"] for row in rows})
    for start in range(0, len(packages), CHUNK):
        some_packages = packages[start : start + CHUNK]
        await execute(f"UPDATE package SET updated_at = $1 WHERE id IN ({marks(some_packages, 2)})", now(), *some_packages)
    return Removal(touched, events)


async def _labels(where: str, ids: Sequence[int]) -> Mapping[int, list[str]]:
    rows = await fetch(
        f"""SELECT file.id, label.name FROM file JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE {where}""",
        *ids,
    )
    found: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        found[row["id"]].append(row["name"])
    return defaultdict(list, {key: sorted(names) for key, names in found.items()})


async def _leave_tombstones(where: str, ids: Sequence[int], actor: Actor, moved_to: int | None) -> None:
    at, by, to = range(len(ids) + 1, len(ids) + 4)
    await execute(
        f"""INSERT INTO tombstone (namespace_id, type, path, sha256, removed_at, removed_by, moved_to_id)
        SELECT file.namespace_id, file.type, file.path, file.sha256, CAST(${at} AS BIGINT), CAST(${by} AS VARCHAR(64)), moved.id
        FROM file LEFT JOIN file AS moved ON moved.namespace_id = CAST(${to} AS BIGINT) AND moved.type = file.type AND moved.path = file.path
        WHERE {where} ORDER BY file.id""",
        *ids,
        now(),
        actor.name,
        moved_to,
    )


async def _lead_on(ids: Sequence[int], moved_to: int) -> None:
    """Let those who come to these files by an older address, from which they moved here, find them where they are now."""
    await execute(
        f"""UPDATE tombstone SET moved_to_id = (SELECT moved.id FROM file JOIN file AS moved
            ON moved.namespace_id = ${len(ids) + 1} AND moved.type = file.type AND moved.path = file.path WHERE file.id = tombstone.moved_to_id)
        WHERE moved_to_id IN ({marks(ids)})""",
        *ids,
        moved_to,
    )


async def _remove_empty_releases(ids: Sequence[int]) -> None:
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        await execute(
            f"DELETE FROM release WHERE id IN ({marks(some)}) AND NOT EXISTS (SELECT 1 FROM file WHERE file.release_id = release.id)", *some
        )
