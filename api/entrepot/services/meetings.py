"""What copies meet in their target: files at the same paths, with the same bytes or with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, marks
from entrepot.errors import Conflict
from entrepot.services.labelled import chunks

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

MOST_NAMED = 10
MET = """SELECT file.id AS source_id, theirs.id, theirs.uuid, theirs.package_id, theirs.path, theirs.sha256 = file.sha256 AS same
    FROM file JOIN file AS theirs ON theirs.namespace_id = $1 AND theirs.type = file.type AND theirs.path = file.path
    WHERE file.id IN ({ids}) ORDER BY file.id"""
BURNT = """SELECT DISTINCT file.path FROM file JOIN tombstone ON tombstone.namespace_id = $1 AND tombstone.type = file.type
    AND tombstone.path = file.path AND tombstone.sha256 <> file.sha256 WHERE file.id IN ({ids})"""


class CopyMode(Enum):
    """What becomes of a file whose path holds other bytes in the target."""

    REFUSE = "refuse"
    """Nothing is copied at all."""
    REPLACE = "replace"
    """The file there is removed, where the namespace takes paths again."""
    UPDATE = "update"
    """Every file that is there stays, whatever its bytes, and is passed over; the others are copied."""


@dataclass(frozen=True, slots=True)
class Meetings:
    """What to do with each file that comes."""

    coming: Sequence[Row]
    """Those that are copied, or get labels at least."""
    same: Mapping[int, Row]
    """By the ids of those that come: the same bytes (`id`, `uuid`), which are there already."""
    replaced: Sequence[int]
    """The ids of files of the target that give way."""


async def meetings(sources: Sequence[Row], target: Row, *, mode: CopyMode, homes: AbstractSet[int]) -> Meetings:
    """What files (rows of `selections.COLUMNS`) meet in a namespace (`id`, `name`, `replace`), where they go to these packages.

    Raises one Conflict for all that is in the way.
    """
    met: dict[int, Row] = {}
    for some in chunks(row["id"] for row in sources):
        met |= {row["source_id"]: row for row in await fetch(MET.format(ids=marks(some, 2)), target["id"], *some)}
    if mode is CopyMode.UPDATE:
        return Meetings([row for row in sources if row["id"] not in met], {}, ())
    other = [row for row in met.values() if not row["same"]]
    never = target["replace"] == "never"
    firm = other if mode is CopyMode.REFUSE or never else [row for row in other if row["package_id"] not in homes]
    paths = {row["path"] for row in firm} | _doubled(sources) | (await _burnt(sources, target) if never else set())
    if paths:
        raise Conflict(_refusal(sorted(paths), target, never=never))
    return Meetings(sources, {key: row for key, row in met.items() if row["same"]}, [row["id"] for row in other])


def _doubled(sources: Sequence[Row]) -> set[str]:
    """Paths that files of several namespaces have."""
    count = Counter((row["type"], row["path"]) for row in sources)
    return {path for (_, path), number in count.items() if number > 1}


async def _burnt(sources: Sequence[Row], target: Row) -> set[str]:
    found: set[str] = set()
    for some in chunks(row["id"] for row in sources):
        found |= {row["path"] for row in await fetch(BURNT.format(ids=marks(some, 2)), target["id"], *some)}
    return found


def _refusal(paths: Sequence[str], target: Row, *, never: bool) -> str:
    more = len(paths) - MOST_NAMED
    named = f"{', '.join(paths[:MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"
    what = f"Other bytes are, or would be, in {target['name']} under these paths: {named}. Nothing was copied."
    return f"{what} That namespace never takes other bytes under a path it has used." if never else what
