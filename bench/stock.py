"""A site with very many conda packages, without uploading each: `python -m bench.stock NAMESPACE COUNT` fills the site that `ENTREPOT_*` names.

One real package is inspected; of what was found, name and version are varied. Each variant gets every row that publishing writes (package, binding,
release, file, label, entries as its type makes them, blob, audit event, change log and head) and a blob, but many rows by one statement, and a short
text for its bytes. `entrepot check` finds nothing wrong with the outcome, and a test says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

import orjson
from entrepot.app import running
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, rows_of, transact
from entrepot.inspection import Inspection, StoredFile
from entrepot.packagetype import PackageType
from entrepot.services.actors import Actor
from entrepot.services.entries import stored_key
from entrepot.services.labels import MAIN, label_ids
from entrepot.settings import load_settings
from entrepot.site import Site

from bench.packages import conda

RELEASES = 10
"""Versions of each package."""
VALUES = 500
"""Placeholders in one statement: SQLite's time for `?1` and `?2` grows with the square of their number."""
AT_ONCE = 1_000
"""Packages in one transaction."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the files go."""

    site: Site
    type: PackageType
    inspection: Inspection
    namespace: Row
    label: int


def main() -> None:
    """Fill the site."""
    asyncio.run(fill(sys.argv[1], int(sys.argv[2])))


async def fill(namespace: str, count: int) -> None:
    """So many files, RELEASES of each package."""
    async with running(load_settings()) as started:
        site = started.site
        owner = await fetch_one("SELECT id, name FROM namespace WHERE name_key = $1", namespace)
        assert owner is not None
        actor = Actor(name=owner["name"], namespace_id=owner["id"])
        label = (await transact(lambda: label_ids(actor, namespace_id=owner["id"], names=[MAIN])))[MAIN]
        type = site.registry.types["conda"]
        basename, body = conda("stock0", "1.0", rich=True)
        target = Target(site, type, type.inspect(io.BytesIO(body), basename), owner, label)
        names = iter([f"stock{at}" for at in range(count // RELEASES)])
        while some := list(islice(names, AT_ONCE)):
            await transact(partial(write, target, some, [draft(target, name, f"1.{at}") for name in some for at in range(RELEASES)]))


def draft(target: Target, name: str, version: str) -> StoredFile:
    """One variant, its bytes in storage."""
    index = {**target.inspection.attributes["index"], "name": name, "version": version}
    basename = f"{name}-{version}-{index['build']}.conda"
    body = f"The bench stores a file here that is named {basename}.".encode()
    sha256 = hashlib.sha256(body).hexdigest()
    put(target, sha256, body)
    return StoredFile(
        namespace=target.namespace["name"],
        package=name,
        name=name,
        version=version,
        path=f"{index['subdir']}/{basename}",
        basename=basename,
        size=len(body),
        sha256=sha256,
        md5=hashlib.md5(body, usedforsecurity=False).hexdigest(),
        blake2b=hashlib.blake2b(body, digest_size=32).hexdigest(),
        uploaded_at=now(),
        attributes={**target.inspection.attributes, "index": index},
        state={},
        package_state={},
        extras={},
        summary=target.inspection.summary,
    )


def put(target: Target, sha256: str, body: bytes) -> None:
    """Into a folder without waiting for the disk, which would take minutes; into anything else as uploads do."""
    path = target.site.storage.path(sha256)
    if path is None:
        target.site.storage.put_bytes(sha256, body)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


async def write(target: Target, names: Sequence[str], files: Sequence[StoredFile]) -> None:
    """All rows of some packages, in one transaction."""
    owner, at, summary = target.namespace["id"], now(), target.inspection.summary
    package = {"namespace_id": owner, "private": False, "summary": summary, "description": "", "created_at": at, "updated_at": at}
    packages = await insert("package", ({"uuid": new_uuid(), "name": name, "name_key": name, **package} for name in names), "name")
    bindings = await insert(
        "binding",
        ({"namespace_id": owner, "package_id": packages[name,], "type": target.type.name, "name": name, "state": "{}"} for name in names),
        "name",
    )
    releases = await insert("release", (release(target, packages[file.name,], file) for file in files), "package_id", "canonical_version")
    ids = await insert("file", (file_row(target, file, packages, bindings, releases) for file in files), "path")
    await insert("file_label", ({"file_id": ids[file.path,], "label_id": target.label} for file in files))
    await insert("entry", (row for file in files for row in entry_rows(target, file, ids[file.path,], packages[file.name,])))
    await insert("blob", ({"sha256": file.sha256, "size": file.size, "state": "stored", "touched_at": at} for file in files))
    await insert("audit_event", (audit_row(target, file) for file in files))
    await log(target, files)


async def insert(table: str, rows: Iterable[Mapping[str, Any]], *key: str) -> dict[tuple[Any, ...], int]:
    """Insert rows; the ids they got, by the columns named."""
    waiting, found = iter(rows), {}
    first = next(waiting, None)
    if first is None:
        return {}
    waiting = chain([first], waiting)
    while some := list(islice(waiting, VALUES // len(first))):
        statement = f"INSERT INTO {table} ({', '.join(first)}) VALUES {rows_of(len(some), len(first))}"
        values = [value for row in some for value in row.values()]
        if key:
            for row in await fetch(f"{statement} RETURNING id, {', '.join(key)}", *values):
                found[tuple(row[name] for name in key)] = int(row["id"])
        else:
            await execute(statement, *values)
    return found


def release(target: Target, package: int, file: StoredFile) -> dict[str, Any]:
    """A row of `release`."""
    type, version = target.type, file.version
    key = {"version_key": type.version_key(version), "created_at": file.uploaded_at}
    return {"uuid": new_uuid(), "package_id": package, "version": version, "canonical_version": type.canonical_version(version), **key}


def file_row(
    target: Target,
    file: StoredFile,
    packages: Mapping[tuple[Any, ...], int],
    bindings: Mapping[tuple[Any, ...], int],
    releases: Mapping[tuple[Any, ...], int],
) -> dict[str, Any]:
    """A row of `file`."""
    package = packages[file.name,]
    return {
        "uuid": new_uuid(),
        "namespace_id": target.namespace["id"],
        "package_id": package,
        "release_id": releases[package, target.type.canonical_version(file.version)],
        "binding_id": bindings[file.name,],
        "type": target.type.name,
        "version": file.version,
        "path": file.path,
        "basename": file.basename,
        "platform": target.inspection.platform,
        "summary": target.inspection.summary,
        "license": target.inspection.license,
        "size": file.size,
        "sha256": file.sha256,
        "md5": file.md5,
        "blake2b": file.blake2b,
        "attributes": orjson.dumps(file.attributes).decode(),
        "state": "{}",
        "entry_version": target.type.entry_version,
        "uploaded_by_id": target.namespace["id"],
        "uploaded_at": file.uploaded_at,
    }


def entry_rows(target: Target, file: StoredFile, file_id: int, package_id: int) -> Iterator[dict[str, Any]]:
    """Rows of `entry`, as the type makes them."""
    for entry in target.type.entries(file):
        for representation, body in entry.representations.items():
            yield {
                "file_id": file_id,
                "namespace_id": target.namespace["id"],
                "package_id": package_id,
                "type": target.type.name,
                "document": entry.document,
                "part": file.name,
                "representation": representation,
                "sort_key": stored_key(entry, file.path),
                "body": body,
            }


def audit_row(target: Target, file: StoredFile) -> dict[str, Any]:
    """A row of `audit_event`."""
    return {
        "uuid": new_uuid(),
        "at": file.uploaded_at,
        "actor": file.namespace,
        "namespace_id": target.namespace["id"],
        "action": "file.publish",
        "subject": f"{file.namespace}/{target.type.name}/{file.path}",
        "details": orjson.dumps({"sha256": file.sha256, "labels": [MAIN]}).decode(),
        "address": "",
    }


async def log(target: Target, files: Sequence[StoredFile]) -> None:
    """A generation of each head for each file, as if each had come alone."""
    for document in sorted(entry.document for entry in target.type.entries(files[0])):
        [head] = await fetch(
            f"""INSERT INTO head (namespace_id, type, label, document, generation, pruned) VALUES ($1, $2, $3, $4, {len(files)}, 0)
            ON CONFLICT (namespace_id, type, label, document) DO UPDATE SET generation = head.generation + excluded.generation
            RETURNING id, generation""",
            *(target.namespace["id"], target.type.name, MAIN, document),
        )
        places = enumerate(files, head["generation"] - len(files) + 1)
        await insert("change", ({"head_id": head["id"], "generation": at, "part": one.name, "changed_at": one.uploaded_at} for at, one in places))


if __name__ == "__main__":
    main()
