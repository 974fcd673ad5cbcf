"""Files as the database knows them, and their removal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.clock import now
from entrepot.db.sql import Row, after_commit, execute, fetch, fetch_one, marks, transaction
from entrepot.hooks import FileEvent
from entrepot.packagetype import StoredExtra, StoredFile
from entrepot.services import audit, heads
from entrepot.services.heads import Touched
from entrepot.services.permissions import Level, not_found, package_level, require_write

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = """file.id, file.uuid, file.namespace_id, namespace.name AS namespace, file.package_id, package.name AS package, package.private,
    file.binding_id, binding.name AS name, binding.state AS package_state, file.type, file.version, file.path, file.basename, file.size,
    file.sha256, file.md5, file.blake2b, file.uploaded_at, file.attributes, file.state"""
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
        """SELECT binding.id, binding.namespace_id, package.private FROM binding JOIN namespace ON namespace.id = binding.namespace_id
        JOIN package ON package.id = binding.package_id WHERE namespace.name_key = $1 AND binding.type = $2 AND binding.name = $3""",
        namespace.lower(),
        type,
        name,
    )
    needs = (f"{type}:download", "api:read")
    if binding is None or not package_level(site, actor, namespace_id=binding["namespace_id"], private=bool(binding["private"]), needs=needs):
        raise not_found(f"{type} package {name} in {namespace}")
    return await stored_files(await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.binding_id = $1 ORDER BY file.id", binding["id"]))


async def locked_file(*, namespace: str, type: str, path: str) -> Row | None:
    """A file's row, locked in the order that DESIGN §6.2 asks for: namespace, package, file."""
    owner = await fetch_one("SELECT id FROM namespace WHERE name_key = $1 {lock}", namespace.lower())
    if owner is None:
        return None
    await fetch_one(
        "SELECT id FROM package WHERE id = (SELECT package_id FROM file WHERE namespace_id = $1 AND type = $2 AND path = $3) {lock}",
        owner["id"],
        type,
        path,
    )
    await fetch_one("SELECT id FROM file WHERE namespace_id = $1 AND type = $2 AND path = $3 {lock}", owner["id"], type, path)
    return await fetch_one(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE file.namespace_id = $1 AND file.type = $2 AND file.path = $3", owner["id"], type, path
    )


async def labels_of(file_id: int) -> list[str]:
    """The names of a file's labels, sorted."""
    rows = await fetch("SELECT label.name FROM file_label JOIN label ON label.id = file_label.label_id WHERE file_label.file_id = $1", file_id)
    return sorted(row["name"] for row in rows)


async def documents_of(file_id: int) -> list[str]:
    """The documents in which a file shows."""
    return [row["document"] for row in await fetch("SELECT DISTINCT document FROM entry WHERE file_id = $1", file_id)]


def touched(file: Row, labels: Iterable[str], documents: Sequence[str]) -> list[Touched]:
    """The parts that a change of the file touches, under each of the labels."""
    return [Touched(file["namespace_id"], file["type"], label, document, file["name"]) for label in labels for document in documents]


def require_file(site: Site, actor: Actor, file: Row | None, *, namespace: str, type: str, path: str) -> Row:
    """The file, if the actor may change it. Raises NotFound, Unauthenticated, PermissionDenied."""
    needs = (f"{type}:upload", "api:write")
    readable = file and package_level(
        site, actor, namespace_id=file["namespace_id"], private=bool(file["private"]), needs=(*needs, f"{type}:download", "api:read")
    )
    if file is None or readable == Level.NONE:
        raise not_found(f"file {path} in {namespace}")
    require_write(actor, namespace_id=file["namespace_id"], namespace=namespace, needs=needs)
    return file


async def remove_file(site: Site, *, actor: Actor, namespace: str, type: str, path: str) -> None:
    """Take a file off its namespace, leaving a tombstone. Its bytes stay until they are collected.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    async with transaction():
        file = require_file(site, actor, await locked_file(namespace=namespace, type=type, path=path), namespace=namespace, type=type, path=path)
        labels, documents = await labels_of(file["id"]), await documents_of(file["id"])
        for table in ("entry", "file_label", "extra"):
            await execute(f"DELETE FROM {table} WHERE file_id = $1", file["id"])
        await execute("DELETE FROM file WHERE id = $1", file["id"])
        await execute(
            "INSERT INTO tombstone (namespace_id, type, path, sha256, removed_at, removed_by) VALUES ($1, $2, $3, $4, $5, $6)",
            file["namespace_id"],
            type,
            path,
            file["sha256"],
            now(),
            actor.name,
        )
        await audit.record(actor=actor, action="file.remove", subject=f"{file['namespace']}/{type}/{path}", namespace_id=file["namespace_id"])
        await heads.bump(touched(file, labels, documents))
    event = event_of(file, labels, actor)
    after_commit(lambda: site.registry.notify("file_removed", event))


def event_of(file: Mapping[str, Any], labels: Sequence[str], actor: Actor) -> FileEvent:
    """What is told of a file after the commit."""
    return FileEvent(
        namespace=file["namespace"],
        package=file["package"],
        type=file["type"],
        version=file["version"],
        path=file["path"],
        sha256=file["sha256"],
        labels=labels,
        actor=actor.name,
    )
