"""Pruning the change log. A worker that is behind what was pruned reads its document whole; when a part last changed is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db.sql import execute, fetch, fetch_one, transact

if TYPE_CHECKING:
    from entrepot.services.collection.report import Report

PAGE = 200
STEP = 2_000
"""Rows that go in one transaction: it holds the head, and publishers of that index wait for it."""
HEADS = """SELECT head.id FROM head WHERE head.id > $1
    AND (SELECT changed_at FROM change WHERE change.head_id = head.id ORDER BY generation LIMIT 1) < $2 ORDER BY head.id LIMIT $3"""
OLDEST = """SELECT max(generation) AS generation, count(*) AS found
    FROM (SELECT generation FROM change WHERE head_id = $1 AND changed_at < $2 ORDER BY generation LIMIT $3) AS oldest"""


KEPT = """INSERT INTO past_change (head_id, part, changed_at)
    SELECT head_id, part, max(changed_at) FROM change WHERE head_id = $1 AND generation <= $2 GROUP BY head_id, part
    ON CONFLICT (head_id, part) DO UPDATE SET changed_at = excluded.changed_at"""


async def prune_changes(report: Report, *, before: int) -> None:
    """Remove what was logged before a time, and say of each head up to which generation its log lacks."""
    if report.dry_run:
        row = await fetch_one("SELECT count(*) AS old FROM change WHERE changed_at < $1", before)
        report.changes = int(row["old"]) if row else 0
        return
    last = 0
    while page := await fetch(HEADS, last, before, PAGE):
        for head in page:
            last = head["id"]
            while await _prune(report, last, before):
                pass


async def _prune(report: Report, head_id: int, before: int) -> bool:
    """Take one step on a head; answers whether there may be more."""

    async def write() -> tuple[int, bool]:
        await fetch("SELECT id FROM head WHERE id = $1 {lock}", head_id)
        oldest = await fetch_one(OLDEST, head_id, before, STEP)
        if oldest is None or oldest["generation"] is None:
            return 0, False
        # whole generations: what is behind `pruned` is not there, what is above it is complete
        await execute("UPDATE head SET pruned = $1 WHERE id = $2 AND pruned < $1", oldest["generation"], head_id)
        await execute(KEPT, head_id, oldest["generation"])
        removed = await execute("DELETE FROM change WHERE head_id = $1 AND generation <= $2", head_id, oldest["generation"])
        return removed, oldest["found"] == STEP

    removed, more = await transact(write)
    report.changes += removed
    return more
