"""Which files of a folder a namespace has already: known without inspecting them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.db.sql import fetch, marks

if TYPE_CHECKING:
    from entrepot.services.imports.folders import FoundFile

DEEPEST = 3
"""How many of the last names in a file's path in a folder may make its path in a namespace."""


@dataclass(slots=True, kw_only=True)
class PresentFile:
    """A file of the namespace."""

    id: int
    type: str
    name: str
    path: str
    size: int
    sha256: str
    private: bool
    state: dict[str, Any]
    labels: set[str] = field(default_factory=set)


def likely_paths(file: FoundFile) -> list[str]:
    """The paths that a type may give to the file: its basename, or its last names."""
    names = file.path.split("/")
    return ["/".join(names[-depth:]) for depth in range(1, min(DEEPEST, len(names)) + 1)]


async def present_files(namespace_id: int, types: Sequence[str], found: Sequence[FoundFile]) -> dict[str, list[PresentFile]]:
    """Files of the namespace that may be the found ones: as large, and at a path that they could have. By the path in the folder."""
    likely = {file.path: likely_paths(file) for file in found}
    wanted = sorted({path for paths in likely.values() for path in paths})
    rows = await fetch(
        f"""SELECT file.id, file.type, file.path, file.size, file.sha256, file.state, binding.name, package.private
        FROM file JOIN binding ON binding.id = file.binding_id JOIN package ON package.id = file.package_id
        WHERE file.namespace_id = $1 AND file.type IN ({marks(types, 2)}) AND file.path IN ({marks(wanted, 2 + len(types))})""",
        namespace_id,
        *types,
        *wanted,
    )
    present = [
        PresentFile(
            id=row["id"],
            type=row["type"],
            name=row["name"],
            path=row["path"],
            size=row["size"],
            sha256=row["sha256"],
            private=bool(row["private"]),
            state=orjson.loads(row["state"]),
        )
        for row in rows
    ]
    await _label(present)
    by_path: dict[str, list[PresentFile]] = {}
    for one in present:
        by_path.setdefault(one.path, []).append(one)
    return {file.path: [one for path in likely[file.path] for one in by_path.get(path, ()) if one.size == file.size] for file in found}


async def _label(present: Sequence[PresentFile]) -> None:
    ids = {one.id: one for one in present}
    rows = await fetch(
        f"""SELECT file_label.file_id, label.name FROM file_label JOIN label ON label.id = file_label.label_id
        WHERE file_label.file_id IN ({marks(list(ids))})""",
        *ids,
    )
    for row in rows:
        ids[row["file_id"]].labels.add(row["name"])
