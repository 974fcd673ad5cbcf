"""Collecting blobs: the collector's half of what `services/blobs.py` says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.cancellation import to_the_end
from entrepot.clock import now
from entrepot.db.sql import execute, fetch, fetch_one, marks, transact, transaction
from entrepot.errors import EntrepotError, Unavailable

if TYPE_CHECKING:
    from entrepot.services.collection.report import Report
    from entrepot.storage import Storage

PAGE = 1_000
BATCH = 16
"""So many blobs are unlinked at once, while a transaction holds their rows; on SQLite everybody who writes waits for it."""
MOST_FAILURES = 5
"""After so many batches of which nothing could be removed, the storage is taken for being away."""

IN_USE = """SELECT sha256 FROM file WHERE sha256 IN ({some}) UNION SELECT sha256 FROM extra WHERE sha256 IN ({some})
    UNION SELECT sha256 FROM staged_upload WHERE sha256 IN ({some}) AND expires_at > ${now}"""
CANDIDATES = """SELECT sha256, size, state FROM blob WHERE sha256 > $1 AND sha256 <= $2 AND (state = 'deleting' OR (touched_at < $3
    AND NOT EXISTS (SELECT 1 FROM file WHERE file.sha256 = blob.sha256) AND NOT EXISTS (SELECT 1 FROM extra WHERE extra.sha256 = blob.sha256)
    AND sha256 NOT IN (SELECT sha256 FROM staged_upload WHERE sha256 IS NOT NULL AND expires_at > $4)))
    ORDER BY sha256"""
END_OF_PAGE = "SELECT max(sha256) AS last FROM (SELECT sha256 FROM blob WHERE sha256 > $1 ORDER BY sha256 LIMIT $2) AS page"


async def collect_blobs(storage: Storage, report: Report, *, before: int) -> None:
    """Remove the blobs that nothing refers to and that nobody has touched since a time."""
    last, fruitless = "", 0
    while (end := await fetch_one(END_OF_PAGE, last, PAGE)) and end["last"] is not None:
        page = await fetch(CANDIDATES, last, end["last"], before, now())
        last = end["last"]
        if report.dry_run:
            for row in page:
                report.blobs.add(row["size"])
            continue
        await mark([row["sha256"] for row in page if row["state"] != "deleting"], before=before)
        for start in range(0, len(page), BATCH):
            failed = await remove(storage, report, [row["sha256"] for row in page[start : start + BATCH]])
            fruitless = fruitless + 1 if failed else 0
            if fruitless == MOST_FAILURES:
                raise Unavailable(f"The storage removes nothing just now: {report.failures[-1]} Try again later; nothing is lost.")


async def mark(sha256s: Sequence[str], *, before: int) -> None:
    """Say of blobs, if they are still not in use, that they are about to go. An upload that meets one now writes it anew."""
    if not sha256s:
        return
    held_still = f"SELECT sha256 FROM blob WHERE sha256 IN ({marks(sha256s, 2)}) AND state <> 'deleting' AND touched_at < $1 ORDER BY sha256 {{skip}}"

    async def write() -> None:
        held = [row["sha256"] for row in await fetch(held_still, before, *sha256s)]
        free = await _not_in_use(held)
        await execute(f"UPDATE blob SET state = 'deleting' WHERE sha256 IN ({marks(free)})", *free)

    await transact(write)


async def remove(storage: Storage, report: Report, sha256s: Sequence[str]) -> bool:
    """Unlink blobs that are still marked, and end their rows; answers whether some were wanted gone and none went.

    Nobody can claim one meanwhile: the transaction holds the rows, and on SQLite the write lock.
    """
    if not await fetch(f"SELECT 1 FROM blob WHERE sha256 IN ({marks(sha256s)}) AND state = 'deleting' LIMIT 1", *sha256s):
        return False
    statement = f"SELECT sha256, size FROM blob WHERE sha256 IN ({marks(sha256s)}) AND state = 'deleting' ORDER BY sha256 {{skip}}"
    async with transaction():
        marked = {row["sha256"]: row for row in await fetch(statement, *sha256s)}
        free = await _not_in_use(list(marked))  # by the states they cannot be; bytes are not unlinked on the strength of that alone
        faults = await to_the_end(_unlink(storage, free))  # to the end: a thread must not unlink what the undone transaction has let go
        gone = [marked[sha256] for sha256 in free if sha256 not in faults]
        await execute(f"DELETE FROM blob WHERE sha256 IN ({marks(gone)})", *(row["sha256"] for row in gone))
    for row in gone:
        report.blobs.add(row["size"])
    report.failures += faults.values()
    return bool(faults) and not gone


async def _not_in_use(sha256s: Sequence[str]) -> list[str]:
    """Those of some locked blobs that nothing refers to. A statement of its own: on PostgreSQL it sees what was committed before they were locked."""
    if not sha256s:
        return []
    statement = IN_USE.format(some=marks(sha256s), now=len(sha256s) + 1)
    used = {row["sha256"] for row in await fetch(statement, *sha256s, now())}
    return [sha256 for sha256 in sha256s if sha256 not in used]


async def _unlink(storage: Storage, sha256s: Sequence[str]) -> dict[str, str]:
    """Remove bytes, all at once; answers why some could not be."""
    loop = asyncio.get_running_loop()
    work = (loop.run_in_executor(storage.threads, storage.delete, sha256) for sha256 in sha256s)
    done = await asyncio.gather(*work, return_exceptions=True)
    return {sha256: _why(sha256, fault) for sha256, fault in zip(sha256s, done, strict=True) if isinstance(fault, BaseException)}


def _why(sha256: str, fault: BaseException) -> str:
    if isinstance(fault, EntrepotError):
        return fault.message
    if isinstance(fault, OSError):
        return f"The bytes of the blob {sha256} cannot be removed: {fault.strerror}."
    raise fault
