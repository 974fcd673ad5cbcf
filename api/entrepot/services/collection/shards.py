"""Collecting shards that no index names any more.

A shard is over when a later generation of its document has stored another one for the same part, or when its part has no files any more. It goes
when that is so for long enough: an index that named it was then answered at least so long ago. The last shard of a part that has files never goes,
and what a worker holds in memory names no other ones: before it answers, it brings what it holds to the generation of the head, and stores the
shards of the parts that changed, also those that were there before and have gone since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import execute, fetch, fetch_one, marks, transact

if TYPE_CHECKING:
    from entrepot.services.collection.report import Report

PAGE = 1_000

SUPERSEDED = """EXISTS (SELECT 1 FROM shard AS newer WHERE newer.head_id = shard.head_id AND newer.representation = shard.representation
    AND newer.part = shard.part AND newer.generation > shard.generation AND newer.stored_at < $1)"""
LEFT_BEHIND = """(shard.stored_at < $1
    AND NOT EXISTS (SELECT 1 FROM change WHERE change.head_id = shard.head_id AND change.part = shard.part AND change.changed_at >= $1)
    AND NOT EXISTS (SELECT 1 FROM binding JOIN file ON file.binding_id = binding.id
        JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        JOIN entry ON entry.file_id = file.id AND entry.document = head.document
        WHERE binding.namespace_id = head.namespace_id AND binding.type = head.type AND binding.name = shard.part AND label.name = head.label)
    AND (head.label <> 'main' OR NOT EXISTS (SELECT 1 FROM binding JOIN file ON file.binding_id = binding.id
        JOIN entry ON entry.file_id = file.id AND entry.document = head.document
        WHERE binding.namespace_id = head.namespace_id AND binding.type = head.type AND binding.name = shard.part
        AND NOT EXISTS (SELECT 1 FROM file_label WHERE file_label.file_id = file.id))))"""
"""A file without labels counts under `main`, whose shards may tell that it was withdrawn."""
OVER = f"""SELECT shard.id, shard.head_id, length(shard.body) AS size FROM shard JOIN head ON head.id = shard.head_id
    WHERE ({SUPERSEDED} OR {LEFT_BEHIND})"""


async def collect_shards(report: Report, *, before: int) -> None:
    """Remove the shards that were over before a time."""
    last = 0
    while end := await _end_of_page(last):
        page = await fetch(f"{OVER} AND shard.id > $2 AND shard.id <= $3 ORDER BY shard.id", before, last, end)
        last = end
        if report.dry_run:
            for row in page:
                report.shards.add(row["size"])
            continue
        by_head: dict[int, list[int]] = defaultdict(list)
        for row in page:
            by_head[row["head_id"]].append(row["id"])
        for head_id, ids in by_head.items():
            await _remove(report, head_id, ids, before)


async def _end_of_page(last: int) -> int | None:
    """The last id of the next page of shards, over or not: no statement shall run for as long as it takes to look at all."""
    row = await fetch_one("SELECT max(id) AS last FROM (SELECT id FROM shard WHERE id > $1 ORDER BY id LIMIT $2) AS page", last, PAGE)
    return row["last"] if row else None


async def _remove(report: Report, head_id: int, ids: Sequence[int], before: int) -> None:
    """Remove shards of a head that are still over, while nothing can be published to it and nobody can store them anew."""
    some = marks(ids, 2)

    async def write() -> list[int]:
        await fetch("SELECT id FROM head WHERE id = $1 {lock}", head_id)
        held = [row["id"] for row in await fetch(f"SELECT id FROM shard WHERE id IN ({marks(ids)}) ORDER BY id {{skip}}", *ids)]
        over = await fetch(f"{OVER} AND shard.id IN ({some})", before, *ids)
        gone = {row["id"]: row["size"] for row in over if row["id"] in held}
        await execute(f"DELETE FROM shard WHERE id IN ({marks(list(gone))})", *gone)
        return list(gone.values())

    for size in await transact(write):
        report.shards.add(size)
