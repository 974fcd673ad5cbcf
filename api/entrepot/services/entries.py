"""Stored entries: what each file contributes to index documents, as bytes in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from entrepot.db.sql import execute, fetch, rows_of

if TYPE_CHECKING:
    from entrepot.packagetype import Entry, PackageType, StoredFile

COLUMNS = ("file_id", "namespace_id", "package_id", "type", "document", "part", "representation", "sort_key", "body")


def stored_key(entry: Entry, path: str) -> bytes:
    """The order of an entry in its part, as the database holds it."""
    return entry.sort_key + b"\0" + path.encode()


async def insert_entries(entries: Sequence[Entry], *, file_id: int, namespace_id: int, package_id: int, type: str, part: str, path: str) -> None:
    """Store a file's entries, in the caller's transaction."""
    rows: list[tuple[Any, ...]] = [
        (file_id, namespace_id, package_id, type, entry.document, part, representation, stored_key(entry, path), body)
        for entry in entries
        for representation, body in entry.representations.items()
    ]
    if rows:
        await execute(
            f"INSERT INTO entry ({', '.join(COLUMNS)}) VALUES {rows_of(len(rows), len(COLUMNS))}", *(value for row in rows for value in row)
        )


async def restate(
    entries: Sequence[Entry], package_type: PackageType, file: StoredFile, *, file_id: int, namespace_id: int, package_id: int
) -> set[str]:
    """Replace a file's entries, in the caller's transaction; answers the documents whose bytes changed."""
    rows = await fetch("SELECT document, representation, sort_key, body FROM entry WHERE file_id = $1", file_id)
    before = {(row["document"], row["representation"]): (bytes(row["sort_key"]), bytes(row["body"])) for row in rows}
    after = {
        (entry.document, representation): (stored_key(entry, file.path), body)
        for entry in entries
        for representation, body in entry.representations.items()
    }
    changed = {key[0] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if changed:
        await execute("DELETE FROM entry WHERE file_id = $1", file_id)
        await insert_entries(
            entries, file_id=file_id, namespace_id=namespace_id, package_id=package_id, type=package_type.name, part=file.name, path=file.path
        )
    await execute("UPDATE file SET entry_version = $1 WHERE id = $2", package_type.entry_version, file_id)
    return changed
