"""Garbage collection: what nothing needs any more goes, while servers run, on any number of machines at once.

What stays for ever: tombstones, counts of downloads, tokens that expired or were revoked, the audit log.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.services import sessions, staging, throttle
from entrepot.services.collection.blobs import collect_blobs
from entrepot.services.collection.changes import prune_changes
from entrepot.services.collection.report import Report
from entrepot.services.collection.shards import collect_shards
from entrepot.services.collection.strays import record_strays

if TYPE_CHECKING:
    from entrepot.storage import Storage

__all__ = ["A_DAY", "SAFE", "Report", "collect"]

A_DAY = timedelta(days=1)
"""How long bytes are left alone by default."""
SAFE = timedelta(hours=1)
"""What is touched later than this may belong to an upload that still runs. Collecting it loses nothing, but the upload has to be sent again."""
INDEX_HISTORY = timedelta(weeks=1)
"""How long the change log, and shards that were superseded, are kept: for clients that read an index then, and ask for its shards now."""


async def collect(storage: Storage, *, older_than: timedelta = A_DAY, index_history: timedelta = INDEX_HISTORY, dry_run: bool = False) -> Report:
    """Remove what nothing refers to and nobody has touched for so long; with `dry_run`, count it and change nothing.

    Safe beside uploads whatever the age, and beside other collectors: see `services/blobs.py`. Needs memory for a page of rows, however many there
    are. Raises Unavailable where database or storage are away; what was done by then is done whole, and the next run does the rest.
    """
    report, start = Report(dry_run=dry_run), now()
    before, index_before = start - _milliseconds(older_than), start - _milliseconds(index_history)
    report.staged = await staging.expire(dry_run=dry_run)
    report.sessions = await sessions.expire(dry_run=dry_run)
    report.throttles = await throttle.expire(dry_run=dry_run)
    await record_strays(storage, report)
    await collect_blobs(storage, report, before=before)
    await prune_changes(report, before=index_before)
    await collect_shards(report, before=index_before)
    if not dry_run:
        report.spooled = await asyncio.to_thread(storage.sweep, max(older_than, SAFE).total_seconds())
    return report


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
