"""Which blobs are wanted. The states of a blob's row make it safe to remove bytes while uploads come in, on any number of hosts.

An upload
  1. claims its blobs, in a transaction that commits before any byte is put: a row in another state than `stored` becomes `claimed`;
  2. puts the bytes of those that were not `stored`, even if such bytes seem to be there: they may be torn, or about to be unlinked;
  3. marks them `stored` in the transaction that publishes the file, if the rows are still those that it has claimed.
Garbage collection
  1. marks rows `deleting`, in a transaction, that nothing refers to and that nobody has touched, by an upload or a removal, for far longer than an
     upload takes;
  2. in a second transaction, which holds the write lock (SQLite) or the row's lock (PostgreSQL), looks again whether the row is `deleting`,
     unlinks the bytes, and deletes the row.
A row's end is the end of its bytes. Each row has a random `incarnation`, so that an upload whose row was collected is refused even where
another one has claimed the same bytes anew, and has perhaps not put them yet. Taking a row back from `deleting` counts as anew: its bytes may be
gone already, where a collector lost the database between the two.
So an upload that meets `deleting` either takes the row back before the bytes go, or waits for the lock and finds no row; both times it writes anew.
An upload that dies leaves rows `claimed` and perhaps bytes, both accounted for, until garbage collection finds them untouched.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from entrepot.clock import now
from entrepot.db.sql import execute, fetch, marks, rows_of, transact
from entrepot.errors import Unavailable

CLAIM = """INSERT INTO blob (sha256, size, state, touched_at, incarnation) VALUES {rows}
    ON CONFLICT (sha256) DO UPDATE SET touched_at = excluded.touched_at,
    state = CASE WHEN blob.state = 'stored' THEN 'stored' ELSE 'claimed' END,
    incarnation = CASE WHEN blob.state = 'deleting' THEN excluded.incarnation ELSE blob.incarnation END
    RETURNING sha256, state, coalesce(incarnation, 0) AS incarnation"""


class Claim(NamedTuple):
    """Blobs that were claimed: the rows that stand for them, and those whose bytes must be put."""

    incarnations: Mapping[str, int]
    missing: frozenset[str]


async def claim(digests: Sequence[tuple[str, int]]) -> Claim:
    """Claim blobs by sha256 and size, outside any transaction. Raises Unavailable."""
    wanted = sorted(dict(digests).items())  # sorted: two uploads that lock several rows lock them in the same order
    if not wanted:
        return Claim({}, frozenset())
    values = [value for sha256, size in wanted for value in (sha256, size, "claimed", now(), secrets.randbits(62))]
    # not durable: after a loss of power a claim without its publication is worth nothing, and the publication carries the claim with it
    rows = await transact(lambda: fetch(CLAIM.format(rows=rows_of(len(wanted), 5)), *values), durable=False)
    return Claim({row["sha256"]: row["incarnation"] for row in rows}, frozenset(row["sha256"] for row in rows if row["state"] != "stored"))


async def stored(claim: Claim) -> None:
    """Mark claimed blobs, whose bytes were put, as stored: in the transaction that publishes what refers to them.

    Raises Unavailable where a blob was collected since it was claimed, so that the transaction is undone.
    """
    wanted = sorted(claim.incarnations.items())
    for start in range(0, len(wanted), 200):
        some = wanted[start : start + 200]
        if len(some) > 1:  # an UPDATE locks rows in any order
            await fetch(f"SELECT sha256 FROM blob WHERE sha256 IN ({marks(some)}) ORDER BY sha256 {{lock}}", *(sha256 for sha256, _ in some))
        ours = " OR ".join(f"(sha256 = ${number} AND coalesce(incarnation, 0) = ${number + 1})" for number in range(2, 2 + 2 * len(some), 2))
        statement = f"UPDATE blob SET state = 'stored', touched_at = $1 WHERE state IN ('claimed', 'stored') AND ({ours})"
        if await execute(statement, now(), *(value for pair in some for value in pair)) != len(some):
            raise Unavailable("The upload took so long that its bytes were cleared away; nothing was changed. Send it again.")


async def touch(where: str, *values: object) -> None:
    """Note that the blobs of files for which a condition on `file` holds are about to lose a file, in the transaction that removes it: from now on
    they are kept for as long as garbage collection spares what was touched, so that a backup that still names them finds them.
    """
    found = await fetch(
        f"""SELECT sha256 FROM blob WHERE sha256 IN (SELECT file.sha256 FROM file WHERE {where}
        UNION SELECT extra.sha256 FROM extra JOIN file ON file.id = extra.file_id WHERE {where}) ORDER BY sha256 {{skip}}""",
        *values,
    )  # one that somebody else holds is being touched by them
    await execute(f"UPDATE blob SET touched_at = $1 WHERE sha256 IN ({marks(found, 2)})", now(), *(row["sha256"] for row in found))
