"""Counts of downloads, as readers see them: of the files that are there now."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.db.sql import fetch, marks


async def downloads_of_files(file_ids: Sequence[int]) -> dict[int, int]:
    """How often each file was downloaded."""
    rows = await fetch(
        f"SELECT file_id AS owner, CAST(SUM(count) AS BIGINT) AS total FROM download WHERE file_id IN ({marks(file_ids)}) GROUP BY file_id", *file_ids
    )
    return dict.fromkeys(file_ids, 0) | {row["owner"]: row["total"] for row in rows}


async def downloads_of_packages(package_ids: Sequence[int]) -> dict[int, int]:
    """How often the files of each package were downloaded."""
    rows = await fetch(
        f"""SELECT file.package_id AS owner, CAST(SUM(download.count) AS BIGINT) AS total FROM file JOIN download ON download.file_id = file.id
        WHERE file.package_id IN ({marks(package_ids)}) GROUP BY file.package_id""",
        *package_ids,
    )
    return dict.fromkeys(package_ids, 0) | {row["owner"]: row["total"] for row in rows}
