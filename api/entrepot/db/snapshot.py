"""What rendering reads: generation, change log and entries of one document, always in one snapshot, so that no generation has two contents."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from entrepot.errors import NotFound
from entrepot.outages import database_unavailable


class PartRows(NamedTuple):
    """The entries of one part, in order, in one representation; none: the part is gone."""

    package_id: int
    private: bool
    bodies: list[bytes]
    withdrawn: list[bytes]
    """Of files that have no label any more, where those were asked for."""


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """What a document is made of at a generation: all of its parts (`whole`), or those that changed since the generation asked about."""

    generation: int
    whole: bool
    parts: dict[str, PartRows]

    def let_go(self) -> None:
        """Free the rows, one part after the other, in a thread: the event loop would stop for as long as it takes to free them all at once."""
        while self.parts:
            self.parts.popitem()


class StoredShard(NamedTuple):
    """Which shard was stored, and for which package: the name of a package that was deleted may have come back since."""

    sha256: str
    package_id: int


class Snapshots(Protocol):
    """Reads for rendering. Raises NotFound for a head that is no more, Unavailable."""

    async def document(
        self, head_id: int, representation: str | None, since: int | None, withdrawn_under: str | None = None, *, only_names: bool = False
    ) -> DocumentRead:
        """The parts of a document; without a representation, their existence alone (each with one empty body).

        `withdrawn_under`: the label under which files are told of that have none. `only_names`: existence alone, of parts with this representation.
        """

    async def part(self, head_id: int, part: str, representation: str | None, withdrawn_under: str | None = None) -> DocumentRead:
        """One part of a document; `parts` is empty where it has no entries."""

    async def shards(self, head_id: int, representation: str, parts: Sequence[str] | None) -> Mapping[str, StoredShard]:
        """The shard last stored for each part (of all, or of those named)."""

    async def changed_at(self, head_id: int, part: str | None, audience: Sequence[int]) -> int:
        """When a part was last changed, or a document for who reads what is public and the packages of an audience: milliseconds since 1970.

        It never falls: of what is older than the log `past_change` tells, and of packages that went out of sight the head.
        """

    def close(self) -> None:
        """Let go of the connections."""


HEAD = "SELECT namespace_id, type, label, document, generation, pruned FROM head WHERE id = ?"
CHANGED = "SELECT part FROM change WHERE head_id = ? AND generation > ?"
"""Without DISTINCT, for which SQLite would read the whole log of the head in the order of its parts."""
PRIVATE = "SELECT id FROM package WHERE namespace_id = ? AND private"
PRIVATE_OF = """SELECT DISTINCT package.id FROM binding JOIN package ON package.id = binding.package_id
    WHERE binding.namespace_id = ?1 AND binding.type = ?2 AND package.private {some}"""
"""Of some parts: a namespace has many packages, and a change concerns few."""
ENTRIES = """SELECT entry.part, entry.package_id, entry.body FROM entry
    JOIN file_label ON file_label.file_id = entry.file_id
        AND file_label.label_id = (SELECT id FROM label WHERE namespace_id = ?1 AND name = ?2)
    WHERE entry.namespace_id = ?1 AND entry.type = ?3 AND entry.document = ?4 AND entry.representation = ?5 {some}
    ORDER BY entry.part, entry.sort_key"""
ENTRIES_AND_WITHDRAWN = """SELECT entry.part, entry.package_id, entry.body, file_label.file_id IS NULL FROM entry
    LEFT JOIN file_label ON file_label.file_id = entry.file_id
        AND file_label.label_id = (SELECT id FROM label WHERE namespace_id = ?1 AND name = ?2)
    WHERE entry.namespace_id = ?1 AND entry.type = ?3 AND entry.document = ?4 AND entry.representation = ?5 {some}
        AND (file_label.file_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM file_label AS other WHERE other.file_id = entry.file_id))
    ORDER BY entry.part, entry.sort_key"""
NAMES = """SELECT DISTINCT entry.part, entry.package_id, x'' FROM entry
    JOIN file_label ON file_label.file_id = entry.file_id
        AND file_label.label_id = (SELECT id FROM label WHERE namespace_id = ?1 AND name = ?2)
    WHERE entry.namespace_id = ?1 AND entry.type = ?3 AND entry.document = ?4 AND CAST(?5 AS TEXT) IS NULL {some}
    ORDER BY entry.part"""
NAMES_IN_ONE = NAMES.replace("CAST(?5 AS TEXT) IS NULL", "entry.representation = ?5")
SHARDS = "SELECT part, sha256, package_id FROM shard WHERE head_id = ?1 AND representation = ?2 {some} ORDER BY generation, stored_at"
_VISIBLE = """JOIN head ON head.id = {log}.head_id
    JOIN binding ON binding.namespace_id = head.namespace_id AND binding.type = head.type AND binding.name = {log}.part
    JOIN package ON package.id = binding.package_id WHERE {log}.head_id = ?1 AND {{visible}}"""
PART_CHANGED_AT = """SELECT coalesce(
    (SELECT max(changed_at) FROM change WHERE head_id = ?1 AND part = ?2),
    (SELECT changed_at FROM past_change WHERE head_id = ?1 AND part = ?2))"""
DOCUMENT_CHANGED_AT = f"""SELECT coalesce(
    (SELECT change.changed_at FROM change {_VISIBLE.format(log="change")} ORDER BY change.generation DESC LIMIT 1),
    (SELECT max(past_change.changed_at) FROM past_change {_VISIBLE.format(log="past_change")})),
    (SELECT hidden_at FROM head WHERE id = ?1)"""
"""When the last change that the reader sees was logged, before or after the log was pruned last; and when a public package went out of sight."""
MOST_PARTS = 500
"""Above so many changed parts a scan of the document is as quick as asking for each."""


def document_changed_at(audience: Sequence[int]) -> str:
    """The statement for an audience."""
    visible = f"(NOT package.private OR package.id IN ({', '.join(map(str, audience))}))" if audience else "NOT package.private"
    return DOCUMENT_CHANGED_AT.format(visible=visible)


def latest(*times: int | None) -> int:
    """Of the row of such a statement."""
    return max(time or 0 for time in times)


def grouped(rows: Iterable[tuple[str, int, bytes]], private: Collection[int]) -> dict[str, PartRows]:
    """Entries by part, from rows in the order of parts."""
    found: dict[str, PartRows] = {}
    for part, package_id, body in rows:
        one = found.get(part)
        if one is None:
            found[part] = PartRows(package_id, package_id in private, [body], [])
        else:
            one.bodies.append(body)
    return found


def grouped_with_withdrawn(rows: Iterable[tuple[str, int, bytes, bool]], private: Collection[int]) -> dict[str, PartRows]:
    """The same, from rows that say at their end whether the file has no label."""
    found: dict[str, PartRows] = {}
    for part, package_id, body, withdrawn in rows:
        one = found.get(part)
        if one is None:
            one = found[part] = PartRows(package_id, package_id in private, [], [])
        (one.withdrawn if withdrawn else one.bodies).append(body)
    return found


def statement_for(representation: str | None, label: str, withdrawn_under: str | None, *, only_names: bool = False) -> str:
    """The SELECT of a document's entries."""
    if representation is None or only_names:
        return NAMES if representation is None else NAMES_IN_ONE
    return ENTRIES_AND_WITHDRAWN if label == withdrawn_under else ENTRIES


def grouping_of(statement: str) -> Callable[[Iterable[Any], Collection[int]], dict[str, PartRows]]:
    """What makes parts of the rows of a statement."""
    return grouped_with_withdrawn if statement is ENTRIES_AND_WITHDRAWN else grouped


def with_gone(found: Mapping[str, PartRows], names: Sequence[str]) -> dict[str, PartRows]:
    """The parts that changed, also those of which nothing is left."""
    return {**found, **{name: PartRows(0, False, [], []) for name in names if name not in found}}


class SqliteSnapshots:
    """Snapshots on SQLite: a read transaction on a connection that each thread has to itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []

    async def document(
        self, head_id: int, representation: str | None, since: int | None, withdrawn_under: str | None = None, *, only_names: bool = False
    ) -> DocumentRead:
        """See Snapshots."""
        return await asyncio.to_thread(self._document, head_id, representation, since, withdrawn_under, only_names)

    async def part(self, head_id: int, part: str, representation: str | None, withdrawn_under: str | None = None) -> DocumentRead:
        """See Snapshots."""
        return await asyncio.to_thread(self._part, head_id, part, representation, withdrawn_under)

    async def shards(self, head_id: int, representation: str, parts: Sequence[str] | None) -> Mapping[str, StoredShard]:
        """See Snapshots."""
        return await asyncio.to_thread(self._shards, head_id, representation, parts)

    async def changed_at(self, head_id: int, part: str | None, audience: Sequence[int]) -> int:
        """See Snapshots."""
        return await asyncio.to_thread(self._changed_at, head_id, part, audience)

    def close(self) -> None:
        """See Snapshots."""
        for connection in self._opened:
            connection.close()

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = sqlite3.connect(self._path, isolation_level=None, timeout=5, check_same_thread=False)
                connection.execute("PRAGMA query_only=ON")
                self._local.connection = connection
                self._opened.append(connection)
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise database_unavailable("The database cannot be read just now. Try again in a moment.") from error

    def _document(self, head_id: int, representation: str | None, since: int | None, withdrawn_under: str | None, only_names: bool) -> DocumentRead:
        with self._snapshot() as connection:
            head = self._head(connection, head_id)
            *where, generation, pruned = head
            if since is not None and since >= pruned:
                names = sorted({row[0] for row in connection.execute(CHANGED, (head_id, since))})
                if len(names) <= MOST_PARTS:
                    found = self._entries(connection, where, representation, names, withdrawn_under, only_names) if names else {}
                    return DocumentRead(generation, False, with_gone(found, names))
            return DocumentRead(generation, True, self._entries(connection, where, representation, None, withdrawn_under, only_names))

    def _part(self, head_id: int, part: str, representation: str | None, withdrawn_under: str | None) -> DocumentRead:
        with self._snapshot() as connection:
            *where, generation, _ = self._head(connection, head_id)
            return DocumentRead(generation, False, self._entries(connection, where, representation, [part], withdrawn_under))

    def _changed_at(self, head_id: int, part: str | None, audience: Sequence[int]) -> int:
        with self._snapshot() as connection:
            if part is not None:
                return latest(*connection.execute(PART_CHANGED_AT, (head_id, part)).fetchone())
            return latest(*connection.execute(document_changed_at(audience), (head_id,)).fetchone())

    def _head(self, connection: sqlite3.Connection, head_id: int) -> tuple[int, str, str, str, int, int]:
        head: tuple[int, str, str, str, int, int] | None = connection.execute(HEAD, (head_id,)).fetchone()
        if head is None:
            raise NotFound("This index is no more.")
        return head

    def _entries(
        self,
        connection: sqlite3.Connection,
        where: Sequence[Any],
        representation: str | None,
        names: Sequence[str] | None,
        withdrawn_under: str | None,
        only_names: bool = False,
    ) -> dict[str, PartRows]:
        namespace_id, type, label, document = where
        if names is None:
            private = {row[0] for row in connection.execute(PRIVATE, (namespace_id,))}
        else:
            of_some = PRIVATE_OF.format(some=_some("binding.name", names, 3))
            private = {row[0] for row in connection.execute(of_some, (namespace_id, type, *names))}
        statement = statement_for(representation, label, withdrawn_under, only_names=only_names)
        some = _some("entry.part", names, 6)
        rows = connection.execute(statement.format(some=some), (namespace_id, label, type, document, representation, *(names or ())))
        return grouping_of(statement)(rows, private)

    def _shards(self, head_id: int, representation: str, parts: Sequence[str] | None) -> Mapping[str, StoredShard]:
        with self._snapshot() as connection:
            statement = SHARDS.format(some=_some("part", parts, 3))
            rows = connection.execute(statement, (head_id, representation, *(parts or ())))
            return {part: StoredShard(*shard) for part, *shard in rows}


def _some(column: str, names: Sequence[str] | None, start: int) -> str:
    if names is None:
        return ""
    return f"AND {column} IN ({', '.join(f'?{number}' for number in range(start, start + len(names)))})"
