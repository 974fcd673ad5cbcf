"""Files as the database knows them, and their removal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import orjson

from entrepot.db.sql import Row, fetch, fetch_one, marks, transact
from entrepot.inspection import StoredExtra, StoredFile
from entrepot.services import audit, heads
from entrepot.services.heads import Touched
from entrepot.services.locks import without_locked
from entrepot.services.notices import tell_of_files
from entrepot.services.permissions import On, not_found, sees
from entrepot.services.removals import Removal, remove_rows
from entrepot.services.selections import Address, FileSelection, Selected, selected

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = """file.id, file.uuid, file.namespace_id, namespace.name AS namespace, file.package_id, package.name AS package, package.private,
    file.binding_id, binding.name AS name, binding.state AS package_state, file.type, file.version, file.path, file.basename, file.size,
    file.sha256, file.md5, file.blake2b, file.uploaded_at, file.attributes, file.state, file.summary"""
TABLES = """file JOIN namespace ON namespace.id = file.namespace_id JOIN package ON package.id = file.package_id
    JOIN binding ON binding.id = file.binding_id"""


def stored_file(row: Row, extras: Mapping[str, StoredExtra]) -> StoredFile:
    """A file for its type, from a row of COLUMNS."""
    return StoredFile(
        namespace=row["namespace"],
        package=row["package"],
        name=row["name"],
        version=row["version"],
        path=row["path"],
        basename=row["basename"],
        size=row["size"],
        sha256=row["sha256"],
        md5=row["md5"],
        blake2b=row["blake2b"],
        uploaded_at=row["uploaded_at"],
        attributes=orjson.loads(row["attributes"]),
        state=orjson.loads(row["state"]),
        package_state=orjson.loads(row["package_state"]),
        extras=extras,
        summary=row["summary"],
    )


async def extras_of(file_ids: Sequence[int]) -> dict[int, dict[str, StoredExtra]]:
    """The extras of each file, by name."""
    found: dict[int, dict[str, StoredExtra]] = {file_id: {} for file_id in file_ids}
    for start in range(0, len(file_ids), 500):
        some = file_ids[start : start + 500]
        rows = await fetch(f"SELECT file_id, name, sha256, size, media_type FROM extra WHERE file_id IN ({marks(some)})", *some)
        for row in rows:
            found[row["file_id"]][row["name"]] = StoredExtra(sha256=row["sha256"], size=row["size"], media_type=row["media_type"])
    return found


async def stored_files(rows: Iterable[Row]) -> list[StoredFile]:
    """Files for their type, from rows of COLUMNS."""
    held = list(rows)
    extras = await extras_of([row["id"] for row in held])
    return [stored_file(row, extras[row["id"]]) for row in held]


async def files_of(site: Site, *, actor: Actor, namespace: str, type: str, name: str) -> list[StoredFile]:
    """The files of a canonical name, oldest first. Raises NotFound for what does not exist for this actor."""
    binding = await fetch_one(
        """SELECT binding.id, binding.namespace_id, namespace.name AS namespace, package.id AS package_id, package.name AS package, package.private
        FROM binding JOIN namespace ON namespace.id = binding.namespace_id
        JOIN package ON package.id = binding.package_id WHERE namespace.name_key = $1 AND binding.type = $2 AND binding.name = $3""",
        namespace.lower(),
        type,
        name,
    )
    needs = (f"{type}:download", "api:read")
    if binding is None or not sees(site, actor, On.package_of(binding), needs=needs):
        raise not_found(f"{type} package {name} in {namespace}")
    return await stored_files(await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.binding_id = $1 ORDER BY file.id", binding["id"]))


async def labels_of(file_id: int) -> list[str]:
    """The names of a file's labels, sorted."""
    rows = await fetch("SELECT label.name FROM file_label JOIN label ON label.id = file_label.label_id WHERE file_label.file_id = $1", file_id)
    return sorted(row["name"] for row in rows)


def touched(file: Row, labels: Iterable[str], documents: Sequence[str]) -> list[Touched]:
    """The parts that a change of the file touches, under each of the labels."""
    return [Touched(file["namespace_id"], file["type"], label, document, file["name"]) for label in labels for document in documents]


async def remove_file(site: Site, *, actor: Actor, namespace: str, type: str, path: str) -> None:
    """Take one file off its namespace; see `remove_files`."""
    await remove_files(site, actor=actor, selection=FileSelection(addresses=[Address(namespace, type, path)]))


async def remove_files(site: Site, *, actor: Actor, selection: FileSelection, all_or_nothing: bool = True) -> Selected:
    """Remove files in one transaction, leaving tombstones; answers what was removed and what was not. Bytes stay until they are collected.

    With `all_or_nothing` one file that may not be removed keeps all of them. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """

    async def write() -> tuple[Selected, Removal]:
        found = await without_locked(actor, selection, await selected(site, actor, selection))
        if all_or_nothing:
            found.or_raise()
        removal = await remove_rows(actor, found.rows)
        for row in found.rows:
            subject = f"{row['namespace']}/{row['type']}/{row['path']}"
            await audit.record(actor=actor, action="file.remove", subject=subject, namespace_id=row["namespace_id"])
        await heads.bump(removal.touched)
        return found, removal

    found, removal = await transact(write)  # counts of downloads, which go along, may be written in another order just now
    tell_of_files(site, "file_removed", removal.events)
    return found
