"""The order in which a folder is imported.

The first file of a package that has a summary and a description gives them to the package. So the newest file of every package goes first, and when
all of these are in, the others follow, from new to old. Versions are taken from the names, for which no file needs to be opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from entrepot.services.releases import common_version_key

if TYPE_CHECKING:
    from entrepot.services.imports.folders import FoundFile


def split_name(basename: str) -> tuple[str, tuple[bytes, ...]]:
    """What a file's name begins with, in one spelling, and the sort key of what follows: its version, its build, its tags."""
    parts = basename.lower().split("-")
    behind = next((number for number, part in enumerate(parts) if number and part[:1].isdigit()), len(parts))
    return "-".join(parts[:behind]).replace("_", "-").replace(".", "-"), tuple(map(common_version_key, parts[behind:]))


def import_order(found: Iterable[FoundFile]) -> tuple[list[FoundFile], list[FoundFile]]:
    """The newest file of each package, and then the others; both by name, the newest first. Files in the folder of a label come last."""
    keyed = [(file.label is not None, *split_name(file.basename), file) for file in found]
    keyed.sort(key=lambda one: one[3].path)
    keyed.sort(key=lambda one: one[2], reverse=True)
    keyed.sort(key=lambda one: one[:2])
    first: list[FoundFile] = []
    others: list[FoundFile] = []
    names: set[str] = set()
    for _, name, _, file in keyed:
        (others if name in names else first).append(file)
        names.add(name)
    return first, others
