"""Which blobs are wanted. The states of a blob's row make it safe to remove bytes while uploads come in, on any number of hosts.

An upload
  1. claims its blobs, in a transaction that commits before any byte is put: a row in another state than `stored` becomes `claimed`;
  2. puts the bytes of those that were not `stored`, even if such bytes seem to be there: they may be torn, or about to be unlinked;
  3. marks them `stored` in the transaction that publishes the file.
Garbage collection
  1. marks rows `deleting`, in a transaction, that nothing refers to and that nobody has touched for far longer than an upload takes;
  2. in a second transaction, which holds the write lock (SQLite) or the row's lock (PostgreSQL), looks again whether the row is `deleting`,
     unlinks the bytes, and deletes the row.
So an upload that meets `deleting` either takes the row back before the bytes go, or waits for the lock and finds no row; both times it writes anew.
An upload that dies leaves rows `claimed` and perhaps bytes, both accounted for, until garbage collection finds them untouched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from entrepot.clock import now
from entrepot.db.sql import execute, fetch, marks, rows_of, transact
from entrepot.errors import Unavailable

CLAIM = """INSERT INTO blob (sha256, size, state, touched_at) VALUES {rows}
    ON CONFLICT (sha256) DO UPDATE SET touched_at = excluded.touched_at,
    state = CASE WHEN blob.state = 'stored' THEN 'stored' ELSE 'claimed' END RETURNING sha256, state"""


async def claim(digests: Sequence[tuple[str, int]]) -> set[str]:
    """Claim blobs by sha256 and size, outside any transaction; answers those whose bytes must be put. Raises Unavailable."""
    wanted = sorted(dict(digests).items())  # sorted: two uploads that lock several rows lock them in the same order
    if not wanted:
        return set()
    values = [value for sha256, size in wanted for value in (sha256, size, "claimed", now())]
    # not durable: after a loss of power a claim without its publication is worth nothing, and the publication carries the claim with it
    rows = await transact(lambda: fetch(CLAIM.format(rows=rows_of(len(wanted), 4)), *values), durable=False)
    return {row["sha256"] for row in rows if row["state"] != "stored"}


async def stored(sha256s: Collection[str]) -> None:
    """Mark claimed blobs, whose bytes were put, as stored: in the transaction that publishes what refers to them.

    Raises Unavailable where a blob was collected since it was claimed, so that the transaction is undone.
    """
    wanted = sorted(set(sha256s))
    if not wanted:
        return
    count = await execute(
        f"UPDATE blob SET state = 'stored', touched_at = $1 WHERE state IN ('claimed', 'stored') AND sha256 IN ({marks(wanted, 2)})", now(), *wanted
    )
    if count != len(wanted):
        raise Unavailable("The upload took so long that its bytes were cleared away; nothing was changed. Send it again.")
