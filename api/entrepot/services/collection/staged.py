"""Uploads that were announced, and whose time is over: nobody can send, finish or find them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db.sql import execute, fetch_one

if TYPE_CHECKING:
    from entrepot.services.collection.report import Report

PAGE = 500


async def collect_staged(report: Report, *, before: int) -> None:
    """Remove the announced uploads that expired before a time. Their bytes are blobs, which nothing refers to from then on."""
    if report.dry_run:
        row = await fetch_one("SELECT count(*) AS expired FROM staged_upload WHERE expires_at < $1", before)
        report.staged = int(row["expired"]) if row else 0
        return
    statement = "DELETE FROM staged_upload WHERE id IN (SELECT id FROM staged_upload WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
    while removed := await execute(statement, before, PAGE):
        report.staged += removed
