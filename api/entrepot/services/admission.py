"""What is in a release already, for the type that says whether another file may join it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from entrepot.db.sql import fetch, marks
from entrepot.packagetype import PackageType


async def siblings_in(package_type: PackageType, release_ids: Iterable[int]) -> Mapping[int, Sequence[str]]:
    """The paths of the files that each of some hundred releases at most has in a type, sorted.

    In a transaction that holds the releases' packages, so that they stay what they are. A type that admits whatever comes is spared the look:
    releases may have thousands of files.
    """
    found: dict[int, list[str]] = {release_id: [] for release_id in release_ids}
    if type(package_type).admit is not PackageType.admit:
        statement = f"SELECT release_id, path FROM file WHERE type = $1 AND release_id IN ({marks(list(found), 2)}) ORDER BY path"
        for row in await fetch(statement, package_type.name, *found):
            found[row["release_id"]].append(row["path"])
    return found
