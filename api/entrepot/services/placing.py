"""Rows of files that are copied: the bytes are there already, and what was read out of them too.

No blob is claimed: whoever copies holds the packages of the files that it copies from, so that none of them, and no blob that it refers to, can go
before the copy refers to it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, marks, rows_of
from entrepot.errors import Conflict
from entrepot.services import entries, files
from entrepot.services.admission import siblings_in
from entrepot.services.homes import Home, Name
from entrepot.services.hotfixes import without_hotfix
from entrepot.services.releases import release_id
from entrepot.services.strictness import check_admission, strictness_of

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

AT_ONCE = 100
"""Files that are placed between two looks at the event loop."""
SOURCES = f"""SELECT {files.COLUMNS}, file.platform, file.summary, file.license, release.version AS release_version, release.canonical_version
    FROM {files.TABLES} JOIN release ON release.id = file.release_id"""
LOST = """SELECT file.path FROM file LEFT JOIN extra ON extra.file_id = file.id
    LEFT JOIN blob ON blob.sha256 = file.sha256 AND blob.state = 'stored'
    LEFT JOIN blob AS other ON other.sha256 = extra.sha256 AND other.state = 'stored'
    WHERE file.id IN ({ids}) AND (blob.sha256 IS NULL OR (extra.id IS NOT NULL AND other.sha256 IS NULL)) ORDER BY file.path LIMIT 1"""
SAME = ("platform", "summary", "license", "size", "sha256", "md5", "blake2b", "attributes", "state", "type", "version", "path", "basename")
"""Columns that a copy has from its source, what was said of the file since its upload among them, but for a hotfix."""


class Placing:
    """Places copies in a namespace (`id`, `name`, `strictness`)."""

    def __init__(self, site: Site, actor: Actor, target: Row, homes: Mapping[Name, Home], at: int) -> None:
        self._site = site
        self._actor = actor
        self._target = target
        self._strictness = strictness_of(target["strictness"])
        self._homes = homes
        self._at = at
        self._releases: dict[tuple[int, str], int] = {}

    async def place(self, source_ids: Sequence[int]) -> dict[int, Row]:
        """Copy files, some hundred at most, without labels; answers the new ones (`id`, `uuid`) by the ids of their sources.

        Raises Conflict for a file that cannot be copied.
        """
        rows = await fetch(f"{SOURCES} WHERE file.id IN ({marks(source_ids)}) ORDER BY file.id", *source_ids)
        await self._check(rows)
        rows = [{**row, "state": without_hotfix(row["state"])} for row in rows]
        made = await self._insert(rows)
        await execute(
            f"""INSERT INTO extra (file_id, name, sha256, size, media_type)
            SELECT copy.id, extra.name, extra.sha256, extra.size, extra.media_type FROM extra JOIN file ON file.id = extra.file_id
            JOIN file AS copy ON copy.namespace_id = $1 AND copy.type = file.type AND copy.path = file.path
            WHERE extra.file_id IN ({marks(source_ids, 2)}) ORDER BY extra.id""",
            self._target["id"],
            *source_ids,
        )
        await self._state(rows, made)
        return made

    async def _check(self, rows: Sequence[Row]) -> None:
        """Only what can be served is copied."""
        ids = [row["id"] for row in rows]
        for lost in await fetch(LOST.format(ids=marks(ids)), *ids):
            raise Conflict(f"The server's copy of {lost['path']} is lost. Tell the operator to run `entrepot check`; nothing was copied.")
        for row in rows:
            if row["type"] not in self._site.registry.types:
                raise Conflict(f"{row['path']} is of the type {row['type']}, which no plugin of this server knows just now. Nothing was copied.")

    async def _insert(self, rows: Sequence[Row]) -> dict[int, Row]:
        values: list[dict[str, Any]] = []
        for row in rows:
            home = self._homes[Name(row["type"], row["name"])]
            own = {
                "uuid": new_uuid(),
                "namespace_id": self._target["id"],
                "package_id": home.package_id,
                "release_id": await self._release(row, home),
                "binding_id": home.binding_id,
                "entry_version": self._site.registry.types[row["type"]].entry_version,
                "uploaded_by_id": self._actor.namespace_id,
                "uploaded_at": self._at,
            }
            values.append(own | {column: row[column] for column in SAME})
        made = await fetch(
            f"INSERT INTO file ({', '.join(values[0])}) VALUES {rows_of(len(values), len(values[0]))} RETURNING id, uuid, type, path",
            *(value for one in values for value in one.values()),
        )
        by_place = {(row["type"], row["path"]): row for row in made}
        return {row["id"]: by_place[row["type"], row["path"]] for row in rows}

    async def _release(self, row: Row, home: Home) -> int:
        key = home.package_id, row["canonical_version"]
        if key not in self._releases:
            package_type = self._site.registry.types[row["type"]]
            self._releases[key] = await release_id(
                package_type, package_id=home.package_id, version=row["release_version"], canonical_version=row["canonical_version"], at=self._at
            )
        return self._releases[key]

    async def _state(self, rows: Sequence[Row], made: Mapping[int, Row]) -> None:
        """Store what the copies show in index documents."""
        stated: list[tuple[Any, ...]] = []
        extras = await files.extras_of([row["id"] for row in rows])
        siblings = await self._siblings(rows)
        for row in rows:
            home = self._homes[Name(row["type"], row["name"])]
            source = files.stored_file({**row, "package_state": home.state}, extras[row["id"]])
            file = replace(source, namespace=self._target["name"], package=home.package, uploaded_at=self._at)
            package_type = self._site.registry.types[row["type"]]
            others = [path for path in siblings[row["type"], await self._release(row, home)] if path != row["path"]]
            check_admission(package_type.admit(file, others), self._strictness)
            stated += entries.rows_for(
                package_type.entries(file),
                file_id=made[row["id"]]["id"],
                namespace_id=self._target["id"],
                package_id=home.package_id,
                type=row["type"],
                part=row["name"],
                path=row["path"],
            )
        await entries.insert_rows(stated)

    async def _siblings(self, rows: Sequence[Row]) -> dict[tuple[str, int], Sequence[str]]:
        """What is in the releases that the copies go to, the copies among it: paths by type and release."""
        releases: dict[str, set[int]] = {}
        for row in rows:
            releases.setdefault(row["type"], set()).add(await self._release(row, self._homes[Name(row["type"], row["name"])]))
        found: dict[tuple[str, int], Sequence[str]] = {}
        for name, ids in releases.items():
            found |= {(name, release): paths for release, paths in (await siblings_in(self._site.registry.types[name], ids)).items()}
        return found
