"""Uploads whose version nobody says: they are dated, and bytes that a package has already are no new release of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch_one
from entrepot.services import files

if TYPE_CHECKING:
    from entrepot.services.drafts import Draft


def stamp(at: int) -> str:
    """The version of what was uploaded at this time (milliseconds since 1970, UTC): `2026.11.22.093015`, as the anaconda client dates uploads."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y.%m.%d.%H%M%S")


async def newest_of_same_bytes(draft: Draft) -> Row | None:
    """The newest file of the draft's package, basename and bytes, as `files.COLUMNS`, whatever its version."""
    return await fetch_one(
        f"""SELECT {files.COLUMNS} FROM {files.TABLES}
        WHERE binding.namespace_id = $1 AND binding.type = $2 AND binding.name = $3 AND file.basename = $4 AND file.sha256 = $5
        ORDER BY file.id DESC LIMIT 1""",
        draft.namespace.id,
        draft.type,
        draft.canonical_name,
        draft.basename,
        draft.sha256,
    )


async def with_free_version(draft: Draft) -> Draft:
    """The draft under a date that its path leaves free: several uploads of a second are `…015`, `…015.1`, `…015.2`.

    In the caller's transaction, which holds the package: no other upload takes the path meanwhile.
    """
    number, free = await _count(draft), draft
    while await _is_taken(free):
        free = _versioned(draft, f"{draft.version}.{number}")
        number += 1
    return free


async def _count(draft: Draft) -> int:
    """How many releases its package has of this date: where to begin to look for the next."""
    row = await fetch_one(
        """SELECT count(*) AS n FROM release JOIN binding ON binding.package_id = release.package_id
        WHERE binding.namespace_id = $1 AND binding.type = $2 AND binding.name = $3 AND (release.version = $4 OR release.version LIKE $5)""",
        draft.namespace.id,
        draft.type,
        draft.canonical_name,
        draft.version,
        f"{draft.version}.%",
    )
    return max(1, row["n"]) if row else 1


async def _is_taken(draft: Draft) -> bool:
    """Whether a file has the draft's path, or had it."""
    row = await fetch_one(
        """SELECT 1 FROM file WHERE namespace_id = $1 AND type = $2 AND path = $3
        UNION ALL SELECT 1 FROM tombstone WHERE namespace_id = $1 AND type = $2 AND path = $3 LIMIT 1""",
        draft.namespace.id,
        draft.type,
        draft.path,
    )
    return row is not None


def _versioned(draft: Draft, version: str) -> Draft:
    inspection = replace(draft.inspection, version=version)
    return replace(
        draft,
        inspection=inspection,
        version=version,
        canonical_version=draft.package_type.canonical_version(version),
        path=draft.package_type.path(inspection, draft.basename),
    )
