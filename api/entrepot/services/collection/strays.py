"""Bytes in storage that no row knows: of an upload whose claim a loss of power took back, or from before the database was restored.

They get a row, as if somebody had claimed them now, and are from then on a blob like any: left alone for long enough they go, and an upload of the
same bytes, which may come at any moment, meets a state that it knows.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import fetch, marks, rows_of, transact

if TYPE_CHECKING:
    from entrepot.services.collection.report import Report
    from entrepot.storage import Storage

PAGE = 400
RECORD = """INSERT INTO blob (sha256, size, state, touched_at, incarnation) VALUES {rows} ON CONFLICT (sha256) DO NOTHING RETURNING sha256, size"""


async def record_strays(storage: Storage, report: Report) -> None:
    """Give every blob in storage a row."""
    blobs = storage.blobs()
    while batch := await asyncio.to_thread(_take, blobs):
        known = {row["sha256"] for row in await fetch(f"SELECT sha256 FROM blob WHERE sha256 IN ({marks(list(batch))})", *batch)}
        strays = [(sha256, size) for sha256, size in batch.items() if sha256 not in known]
        there = await asyncio.to_thread(_still_there, storage, strays)  # what another collector has just removed has no row either
        if not there:
            continue
        rows = [value for sha256, size in there for value in (sha256, size, "claimed", now(), secrets.randbits(62))]
        record = partial(fetch, RECORD.format(rows=rows_of(len(there), 5)), *rows)
        for size in [size for _, size in there] if report.dry_run else [row["size"] for row in await transact(record)]:
            report.strays.add(size)


def _take(blobs: Iterator[tuple[str, int]]) -> dict[str, int]:
    """The next few."""
    return dict(islice(blobs, PAGE))


def _still_there(storage: Storage, strays: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(sha256, size) for sha256, size in strays if storage.size(sha256) is not None]
