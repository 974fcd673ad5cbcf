"""The part of `entrepot check` that looks at index documents: every file has the entries that its type makes of it, and heads that count them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, marks, transaction
from entrepot.inspection import StoredFile
from entrepot.packagetype import PackageType
from entrepot.services.entries import stored_key
from entrepot.services.files import COLUMNS, TABLES, stored_files

if TYPE_CHECKING:
    from entrepot.registry import Registry
    from entrepot.services.checks import Report

PAGE = 200

FILES = f"SELECT {COLUMNS}, file.entry_version FROM {TABLES} WHERE file.id > $1 ORDER BY file.id LIMIT $2"
FILE = f"SELECT {COLUMNS}, file.entry_version FROM {TABLES} WHERE file.id = $1"

# One statement each, so one snapshot.
HEADLESS = """SELECT DISTINCT namespace.name AS namespace, entry.type, label.name AS label, entry.document
    FROM entry JOIN namespace ON namespace.id = entry.namespace_id JOIN file_label ON file_label.file_id = entry.file_id
    JOIN label ON label.id = file_label.label_id
    LEFT JOIN head ON head.namespace_id = entry.namespace_id AND head.type = entry.type AND head.label = label.name AND head.document = entry.document
    WHERE head.id IS NULL ORDER BY 1, 2, 3, 4"""
UNLOGGED = """SELECT DISTINCT namespace.name AS namespace, entry.type, label.name AS label, entry.document, entry.part
    FROM entry JOIN namespace ON namespace.id = entry.namespace_id JOIN file_label ON file_label.file_id = entry.file_id
    JOIN label ON label.id = file_label.label_id
    JOIN head ON head.namespace_id = entry.namespace_id AND head.type = entry.type AND head.label = label.name AND head.document = entry.document
    WHERE head.pruned = 0 AND NOT EXISTS (SELECT 1 FROM change WHERE change.head_id = head.id AND change.part = entry.part)
    ORDER BY 1, 2, 3, 4, 5"""

AGAIN = "Restore the database from a backup, and tell the authors of Entrepot how it came to this."


async def check_entries(registry: Registry, report: Report) -> None:
    """Every file has exactly the entries that its type makes of it today."""
    last, unknown = 0, 0
    while page := await fetch(FILES, last, PAGE):
        last = page[-1]["id"]
        known = [row for row in page if row["type"] in registry.types]
        unknown += len(page) - len(known)
        for row, fault in await faults_of(registry, known):
            if fault:
                await look_again(registry, report, row)
    if unknown:
        report.notes.append(f"Files whose type no loaded plugin has, so that their index entries were not looked at: {unknown}.")


async def look_again(registry: Registry, report: Report, row: Row) -> None:
    """Report a suspicious file if it is wrong while nobody can change it."""
    async with transaction():
        await fetch("SELECT id FROM file WHERE id = $1 {lock}", row["id"])
        checked = await faults_of(registry, await fetch(FILE, row["id"]))
    for file, fault in checked:
        if fault:
            remedy = "Start the server: it makes them anew." if file["entry_version"] < registry.types[file["type"]].entry_version else AGAIN
            report.problem(f"{file['namespace']}/{file['type']}/{file['path']}", fault, remedy)


async def faults_of(registry: Registry, rows: Sequence[Row]) -> list[tuple[Row, str | None]]:
    """Each file with what is wrong with its entries."""
    ids = [row["id"] for row in rows]
    held: dict[int, dict[tuple[str, str], tuple[str, bytes, bytes]]] = {file_id: {} for file_id in ids}
    for entry in await fetch(f"SELECT file_id, document, part, representation, sort_key, body FROM entry WHERE file_id IN ({marks(ids)})", *ids):
        held[entry["file_id"]][entry["document"], entry["representation"]] = entry["part"], bytes(entry["sort_key"]), bytes(entry["body"])
    files = await stored_files(rows)

    def compare() -> list[tuple[Row, str | None]]:
        return [(row, fault_of(registry.types[row["type"]], row, file, held[row["id"]])) for row, file in zip(rows, files, strict=True)]

    return await asyncio.to_thread(compare)


def fault_of(package_type: PackageType, row: Row, file: StoredFile, held: dict[tuple[str, str], tuple[str, bytes, bytes]]) -> str | None:
    """What is wrong with a file's entries."""
    if row["entry_version"] != package_type.entry_version:
        return f"its index entries are of version {row['entry_version']}, but the plugin makes version {package_type.entry_version}."
    try:
        wanted = {
            (entry.document, representation): (file.name, stored_key(entry, file.path), body)
            for entry in package_type.entries(file)
            for representation, body in entry.representations.items()
        }
    except Exception as error:  # a plugin's code: whatever it raises is the finding
        return f"its index entries cannot be made: {type(error).__name__}: {error}."
    if missing := wanted.keys() - held.keys():
        return f"it is missing from {titles(missing)}."
    if spare := held.keys() - wanted.keys():
        return f"it shows in {titles(spare)}, where it does not belong."
    if different := {key for key in wanted if wanted[key] != held[key]}:
        return f"its entry in {titles(different)} is not what the file says."
    return None


def titles(keys: Iterable[tuple[str, str]]) -> str:
    """Documents and representations, for people."""
    return ", ".join(f"{document} ({representation})" for document, representation in sorted(keys))


async def check_heads(report: Report) -> None:
    """Every document in which a label shows something has a head, whose log knows each of its parts."""
    for row in await fetch(HEADLESS):
        subject = f"{row['namespace']}/{row['type']}, label {row['label']}"
        report.problem(subject, f"nothing counts the changes of {row['document']}, so installers do not see it.", AGAIN)
    for row in await fetch(UNLOGGED):
        subject = f"{row['namespace']}/{row['type']}, label {row['label']}, {row['part']}"
        report.problem(subject, f"its change of {row['document']} was not logged, so running servers may not show it.", AGAIN)
