"""Stored entries: what each file contributes to index documents, as bytes in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from entrepot.db.sql import Row, execute, fetch, marks, rows_of

if TYPE_CHECKING:
    from entrepot.packagetype import PackageType
    from entrepot.representations import Entry

COLUMNS = ("file_id", "namespace_id", "package_id", "type", "document", "part", "representation", "sort_key", "body")
ROWS = 500
"""Of entries in one statement."""


def stored_key(entry: Entry, path: str) -> bytes:
    """The order of an entry in its part, as the database holds it."""
    return entry.sort_key + b"\0" + path.encode()


async def insert_entries(entries: Sequence[Entry], *, file_id: int, namespace_id: int, package_id: int, type: str, part: str, path: str) -> None:
    """Store a file's entries, in the caller's transaction."""
    await insert_rows(rows_for(entries, file_id=file_id, namespace_id=namespace_id, package_id=package_id, type=type, part=part, path=path))


def rows_for(entries: Sequence[Entry], *, file_id: int, namespace_id: int, package_id: int, type: str, part: str, path: str) -> list[tuple[Any, ...]]:
    """A file's entries as rows of COLUMNS."""
    return [
        (file_id, namespace_id, package_id, type, entry.document, part, representation, stored_key(entry, path), body)
        for entry in entries
        for representation, body in entry.representations.items()
    ]


async def insert_rows(rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows of COLUMNS, however many, in the caller's transaction."""
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        await execute(
            f"INSERT INTO entry ({', '.join(COLUMNS)}) VALUES {rows_of(len(some), len(COLUMNS))}", *(value for row in some for value in row)
        )


class Made(NamedTuple):
    """A file (a row of `files.COLUMNS`) with the entries that its type makes of it now."""

    row: Row
    entries: Sequence[Entry]


async def restate(package_type: PackageType, made: Sequence[Made]) -> dict[int, set[str]]:
    """Replace the entries of files of one type, some hundred at most, in the caller's transaction; answers the documents that changed, by file."""
    if not made:
        return {}
    ids = [one.row["id"] for one in made]
    before: dict[int, dict[tuple[str, str], tuple[bytes, bytes]]] = {file_id: {} for file_id in ids}
    for row in await fetch(f"SELECT file_id, document, representation, sort_key, body FROM entry WHERE file_id IN ({marks(ids)})", *ids):
        before[row["file_id"]][row["document"], row["representation"]] = (bytes(row["sort_key"]), bytes(row["body"]))
    changed: dict[int, set[str]] = {}
    fresh: list[tuple[Any, ...]] = []
    for row, entries in made:
        after = {
            (entry.document, representation): (stored_key(entry, row["path"]), body)
            for entry in entries
            for representation, body in entry.representations.items()
        }
        held = before[row["id"]]
        documents = {key[0] for key in held.keys() | after.keys() if held.get(key) != after.get(key)}
        if documents:
            changed[row["id"]] = documents
            place = {"file_id": row["id"], "namespace_id": row["namespace_id"], "package_id": row["package_id"], "path": row["path"]}
            fresh += rows_for(entries, type=package_type.name, part=row["name"], **place)
    if changed:
        await execute(f"DELETE FROM entry WHERE file_id IN ({marks(list(changed))})", *changed)
        await insert_rows(fresh)
    await execute(f"UPDATE file SET entry_version = $1 WHERE id IN ({marks(ids, 2)}) AND entry_version <> $1", package_type.entry_version, *ids)
    return changed
