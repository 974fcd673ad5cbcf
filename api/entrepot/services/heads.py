"""Heads and the change log: how readers learn, in the transaction that changes something, that a document has changed.

`bump` is the last statement of a transaction. Whoever calls it has locked the rows that decide which heads are touched (namespace, package, file, in
this order) before computing them: on PostgreSQL a head could otherwise miss a change that two transactions make between them. Of the three it is the
package that decides: every file, entry and label on a file belongs to one, so who changes them holds it. The namespace is held in share, so that
changes of its other packages go on side by side; who means the whole namespace locks it alone. Held alone by everybody, it would make all publishers
to a namespace wait for each other's commits, where they need to wait only for those that touch the same heads, and only at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from tortoise.exceptions import IntegrityError

from entrepot.clock import now
from entrepot.db.sql import execute, fetch, marks, rows_of, transact

MAIN = "main"
"""The label of a channel whose URL names none. Under it types may also tell of files that have no label any more.

Every namespace has it from the first: one that came with the first file would tell of a private one.
"""


class Touched(NamedTuple):
    """One part of one document under one label that a transaction changes."""

    namespace_id: int
    type: str
    label: str
    document: str
    part: str


UPSERT = """INSERT INTO head (namespace_id, type, label, document, generation, pruned) VALUES {rows}
    ON CONFLICT (namespace_id, type, label, document) DO UPDATE SET generation = head.generation + 1
    RETURNING id, generation, namespace_id, type, label, document"""

STANDING = """INSERT INTO head (namespace_id, type, label, document, generation, pruned) VALUES ($1, $2, $3, $4, 0, 0)
    ON CONFLICT (namespace_id, type, label, document) DO NOTHING"""


async def bump(touched: Iterable[Touched], *, hiding: bool = False) -> None:
    """Give every touched head a new generation and log the parts that changed in it. Heads are taken in one order, so that no two deadlock.

    `hiding`: a package that everybody saw is to be seen no more. The log does not show that to who cannot see the package, so the heads say when.
    """
    parts: dict[tuple[int, str, str, str], set[str]] = defaultdict(set)
    for one in touched:
        parts[one[:4]].add(one.part)
    if not parts:
        return
    values = [value for key in sorted(parts) for value in (*key, 1, 0)]
    heads = await fetch(UPSERT.format(rows=rows_of(len(parts), 6)), *values)
    at = now()
    changes = [
        (head["id"], head["generation"], part, at)
        for head in heads
        for part in sorted(parts[head["namespace_id"], head["type"], head["label"], head["document"]])
    ]
    for start in range(0, len(changes), 500):
        some = changes[start : start + 500]
        await execute(
            f"INSERT INTO change (head_id, generation, part, changed_at) VALUES {rows_of(len(some), 4)}", *(value for row in some for value in row)
        )
    if hiding:
        await execute(f"UPDATE head SET hidden_at = $1 WHERE id IN ({marks(heads, 2)})", at, *(head["id"] for head in heads))


async def ensure_standing(*, namespace_id: int, type: str, label: str, document: str) -> None:
    """Make the head of a document that exists before its first file, in a transaction of its own.

    Does nothing where it is there, and where the namespace was deleted since it was looked up.
    """
    with suppress(IntegrityError):
        await transact(partial(execute, STANDING, namespace_id, type, label, document))
