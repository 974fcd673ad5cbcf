"""A database of the first version, with a row in every table, is brought to the present without losing anything, on both databases."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import entrepot.db.connection
import pytest
from databases import shared_databases
from entrepot.db import migrations
from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.db.sql import execute, fetch, rows_of
from entrepot.hooks import Models
from entrepot.services import blobs
from entrepot.settings import Settings
from ground import Ground
from postgres_server import shared_server

LATER = [f"models.{path.stem}" for path in sorted(Path(migrations.__path__[0]).glob("0*.py"))][1:]
SHA256, MD5 = "ab" * 32, "cd" * 16
ROWS: dict[str, Mapping[str, Any]] = {
    "namespace": {"uuid": "n", "name": "Alice", "name_key": "alice", "kind": "user", "display_name": "", "description": "", "created_at": 1},
    "user": {"namespace_id": 1, "password_hash": None, "is_admin": True, "disabled_at": None},
    "token": {"uuid": "t", "namespace_id": 1, "name": "laptop", "digest": SHA256, "scopes": "all", "created_at": 1},
    "package": {
        "uuid": "p",
        "namespace_id": 1,
        "name": "Numpy",
        "name_key": "numpy",
        "private": True,
        "summary": "s",
        "description": "Ünïcode",
        "created_at": 1,
        "updated_at": 1,
    },
    "binding": {"namespace_id": 1, "package_id": 1, "type": "toy", "name": "numpy", "state": "{}"},
    "release": {"uuid": "r", "package_id": 1, "version": "1.0", "canonical_version": "1", "version_key": b"\x00\xff", "created_at": 1},
    "file": {
        "uuid": "f",
        "namespace_id": 1,
        "package_id": 1,
        "release_id": 1,
        "binding_id": 1,
        "type": "toy",
        "version": "1.0",
        "path": "numpy.toy",
        "basename": "numpy.toy",
        "platform": "",
        "summary": "",
        "license": "",
        "size": 1 << 40,
        "sha256": SHA256,
        "md5": MD5,
        "blake2b": SHA256,
        "attributes": '{"a": 1}',
        "state": "{}",
        "entry_version": 1,
        "uploaded_by_id": 1,
        "uploaded_at": 1,
    },
    "extra": {"file_id": 1, "name": "note", "sha256": SHA256, "size": 1, "media_type": "text/plain"},
    "tombstone": {"namespace_id": 1, "type": "toy", "path": "old.toy", "sha256": SHA256, "removed_at": 1, "removed_by": "alice"},
    "label": {"uuid": "l", "namespace_id": 1, "name": "main", "locked_at": None, "created_at": 1},
    "file_label": {"file_id": 1, "label_id": 1},
    "entry": {
        "file_id": 1,
        "namespace_id": 1,
        "package_id": 1,
        "type": "toy",
        "document": "all",
        "part": "numpy",
        "representation": "line",
        "sort_key": b"\x00",
        "body": b"line\n",
    },
    "head": {"namespace_id": 1, "type": "toy", "label": "main", "document": "all", "generation": 7, "pruned": 0},
    "change": {"head_id": 1, "generation": 7, "part": "numpy", "changed_at": 1},
    "shard": {
        "head_id": 1,
        "representation": "shard",
        "part": "numpy",
        "package_id": 1,
        "sha256": SHA256,
        "generation": 7,
        "stored_at": 1,
        "body": b"\x00body",
    },
    "blob": {"sha256": SHA256, "size": 1 << 40, "state": "stored", "touched_at": 1},
    "audit_event": {
        "uuid": "a",
        "at": 1,
        "actor": "alice",
        "token_id": 1,
        "namespace_id": 1,
        "action": "file.publish",
        "subject": "alice/toy/numpy.toy",
        "details": "{}",
        "address": "",
    },
}
"""A row of each table of the first version, in an order in which each finds what it points to."""
DELETED = (("Alice/Old_thing", 2), ("Alice/old_thing", 3), ("Alice/numpy", 4))
"""Packages that were deleted in the first version, and when. One of them is there again."""


@pytest.fixture
def empty(tmp_path: Path, ground: Ground) -> Iterator[Settings]:
    """A database without a table."""
    if ground.is_folder:
        yield Settings(data=tmp_path / "data")
        return
    name = shared_databases().create()
    yield Settings(data=tmp_path / "data", database_url=shared_server().url(name))
    shared_databases().drop(name)


@pytest.fixture
def first_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The core as it was when it had one migration; undo it to come back to the present."""
    package = tmp_path / "past" / "firstversion" / "migrations"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    shutil.copy(Path(migrations.__path__[0]) / "0001_initial.py", package)
    monkeypatch.syspath_prepend(package.parents[1])
    with pytest.MonkeyPatch.context() as past:
        past.setattr(entrepot.db.connection, "CORE", Models(label="models", models="entrepot.db.models", migrations="firstversion.migrations"))
        yield past
    for name in [name for name in sys.modules if name.partition(".")[0] == "firstversion"]:
        del sys.modules[name]


async def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables of the first version."""
    found = {table: await fetch(f'SELECT * FROM "{table}"') for table in ROWS}
    return {table: [{name: _plain(value) for name, value in dict(row).items()} for row in rows] for table, rows in found.items()}


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


async def test_every_row_of_the_first_version_is_there_after_all_later_migrations(empty: Settings, first_version: pytest.MonkeyPatch) -> None:
    assert await migrate(empty) == ["models.0001_initial"]
    async with database(empty):
        for table, row in ROWS.items():
            columns = {**row, "replace": "never"} if table == "namespace" else row
            names = ", ".join(f'"{name}"' for name in columns)
            await execute(f'INSERT INTO "{table}" ({names}) VALUES {rows_of(1, len(columns))}', *columns.values())
        for number, (subject, at) in enumerate(DELETED):
            columns = {**ROWS["audit_event"], "uuid": str(number), "action": "package.delete", "subject": subject, "at": at}
            await execute(f"INSERT INTO audit_event ({', '.join(columns)}) VALUES {rows_of(1, len(columns))}", *columns.values())
        bare = {**ROWS["namespace"], "uuid": "b", "name": "Bare", "name_key": "bare", "created_at": 7, "replace": "never"}
        names = ", ".join(f'"{name}"' for name in bare)
        await execute(f"INSERT INTO namespace ({names}) VALUES {rows_of(1, len(bare))}", *bare.values())
        before = await everything()
    first_version.undo()
    assert await migrate(empty) == LATER
    async with database(empty):
        after = await everything()
        new = after["label"].pop()  # every namespace has `main` now
        assert (new["namespace_id"], new["name"], new["created_at"], str(UUID(new["uuid"]))) == (2, "main", 7, new["uuid"])
        for table, rows in before.items():
            assert [{name: row[name] for name in old} for old, row in zip(rows, after[table], strict=True)] == rows, table
        assert {row["token_name"] for row in after["audit_event"]} == {"laptop"}
        freed = await fetch("SELECT namespace_id, name_key, freed_at, private, moved_to_id FROM freed_package ORDER BY name_key")
        assert [(row["name_key"], row["freed_at"], bool(row["private"])) for row in freed] == [("old-thing", 3, True), ("old_thing", 3, True)]
        # a blob of that time, which has no incarnation, can be claimed and published
        claim = await blobs.claim([(SHA256, 1 << 40)])
        assert claim.missing == frozenset()
        await blobs.stored(claim)
