"""The part of `entrepot check` that looks at bytes: every row has its blob, every blob its bytes, and all bytes a row."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import Row, fetch, fetch_one, marks
from entrepot.errors import NotFound

if TYPE_CHECKING:
    from entrepot.services.checks import Report
    from entrepot.storage import Storage

PAGE = 200
PIECE = 1 << 20
AN_HOUR = 3_600_000

RESTORE = "Restore it from a backup of the blobs; bytes that are gone also come back when the same file is uploaded again."

# Each of these is one statement, so one snapshot: a publishing transaction is seen whole or not at all.
DANGLING_FILES = """SELECT namespace.name AS namespace, file.type, file.path, '' AS extra, file.size, blob.size AS blob_size, blob.state
    FROM file JOIN namespace ON namespace.id = file.namespace_id LEFT JOIN blob ON blob.sha256 = file.sha256
    WHERE blob.sha256 IS NULL OR blob.state <> 'stored' OR blob.size <> file.size ORDER BY file.id"""
DANGLING_EXTRAS = """SELECT namespace.name AS namespace, file.type, file.path, extra.name AS extra, extra.size, blob.size AS blob_size, blob.state
    FROM extra JOIN file ON file.id = extra.file_id JOIN namespace ON namespace.id = file.namespace_id
    LEFT JOIN blob ON blob.sha256 = extra.sha256
    WHERE blob.sha256 IS NULL OR blob.state <> 'stored' OR blob.size <> extra.size ORDER BY extra.id"""
BLOBS = """SELECT blob.sha256, blob.size, blob.state, blob.touched_at,
    EXISTS (SELECT 1 FROM file WHERE file.sha256 = blob.sha256) OR EXISTS (SELECT 1 FROM extra WHERE extra.sha256 = blob.sha256) AS used
    FROM blob WHERE blob.sha256 > $1 ORDER BY blob.sha256 LIMIT $2"""
USERS = """SELECT namespace.name AS namespace, file.type, file.path, '' AS extra
    FROM file JOIN namespace ON namespace.id = file.namespace_id WHERE file.sha256 = $1
    UNION ALL SELECT namespace.name, file.type, file.path, extra.name
    FROM extra JOIN file ON file.id = extra.file_id JOIN namespace ON namespace.id = file.namespace_id WHERE extra.sha256 = $2"""


def title_of(row: Row) -> str:
    """How a problem names a file, or an extra of it."""
    name = f"{row['namespace']}/{row['type']}/{row['path']}"
    return f"{name} ({row['extra']})" if row["extra"] else name


async def check_references(report: Report) -> None:
    """Every file and every extra has its blob row, stored and of the same size."""
    counted = await fetch_one("SELECT count(*) AS files FROM file")
    report.files = int(counted["files"]) if counted else 0
    for row in [*await fetch(DANGLING_FILES), *await fetch(DANGLING_EXTRAS)]:
        if row["state"] is None:
            wrong = "no row says that its bytes are stored."
        elif row["state"] != "stored":
            wrong = f"its bytes are in the state {row['state']}, not stored."
        else:
            wrong = f"it has {row['size']} bytes, but its blob is said to have {row['blob_size']}."
        report.problem(title_of(row), wrong, "Restore the database from a backup.")


async def check_bytes(storage: Storage, report: Report) -> None:
    """Every blob that is said to be stored lies in storage with the right size and digest."""
    last, waiting, waiting_bytes = "", 0, 0
    while page := await fetch(BLOBS, last, PAGE):
        last = page[-1]["sha256"]
        report.blobs += len(page)
        for row in page:
            if row["state"] == "stored" and (wrong := await asyncio.to_thread(fault_of, storage, row["sha256"], row["size"])):
                await report_fault(report, row["sha256"], wrong)
            if not row["used"] and (row["state"] != "claimed" or row["touched_at"] < now() - AN_HOUR):
                waiting, waiting_bytes = waiting + 1, waiting_bytes + row["size"]
    if waiting:
        report.notes.append(
            f"Blobs that wait to be collected, because their file was removed or their upload died: {waiting} ({waiting_bytes} bytes)."
        )


def fault_of(storage: Storage, sha256: str, size: int) -> str | None:
    """What is wrong with a blob's bytes. Reads them all."""
    found = storage.size(sha256)
    if found is None:
        return "its bytes are not in storage."
    if found != size:
        return f"it should have {size} bytes, but {found} are in storage."
    digest = hashlib.sha256()
    try:
        with storage.open(sha256) as blob:
            while piece := blob.read(PIECE):
                digest.update(piece)
    except NotFound:
        return "its bytes are not in storage."
    except OSError as error:
        return f"its bytes cannot be read ({error.strerror})."
    if digest.hexdigest() != sha256:
        return f"its bytes are damaged: their digest is {digest.hexdigest()}."
    return None


async def report_fault(report: Report, sha256: str, wrong: str) -> None:
    """Report a fault for each file that has the blob, unless the blob was given up since its row was read."""
    row = await fetch_one("SELECT state FROM blob WHERE sha256 = $1", sha256)
    if row is None or row["state"] != "stored":
        return
    users = await fetch(USERS, sha256, sha256)
    for user in users:
        report.problem(f"{title_of(user)}, blob {sha256}", wrong, RESTORE)
    if not users:
        report.problem(f"Blob {sha256}", wrong, "No file needs it now, but an upload of the same bytes would rely on it. Restore it from a backup.")


async def check_storage(storage: Storage, report: Report) -> None:
    """All bytes in storage have a row: an upload makes the row first, and collection deletes it last."""
    blobs = storage.blobs()
    while batch := await asyncio.to_thread(take, blobs):
        known = {row["sha256"] for row in await fetch(f"SELECT sha256 FROM blob WHERE sha256 IN ({marks(batch)})", *batch)}
        for sha256 in batch:
            if sha256 not in known and await is_unaccounted(storage, sha256):
                report.problem(
                    f"Blob {sha256}",
                    "unaccounted: these bytes are in storage, but no row knows them.",
                    f"They are at {storage.where(sha256)}. If nobody misses them, let `entrepot gc` remove them.",
                )


async def is_unaccounted(storage: Storage, sha256: str) -> bool:
    """Look again, bytes first: what an upload has put since has a row by now, and what was collected is gone."""
    if await asyncio.to_thread(storage.size, sha256) is None:
        return False
    return await fetch_one("SELECT 1 AS known FROM blob WHERE sha256 = $1", sha256) is None


def take(blobs: Iterator[tuple[str, int]]) -> list[str]:
    """The next few digests."""
    return [sha256 for sha256, _ in islice(blobs, PAGE)]
