"""What is in the way of a package that wants to go to another namespace: everything at once, so that nobody finds it out one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from entrepot.db.sql import Row, fetch

MOST = 10
"""Collisions that are named."""

PACKAGES = """SELECT theirs.name FROM package JOIN package AS theirs ON theirs.namespace_id = $2 AND theirs.name_key = package.name_key
    WHERE package.id = $1"""
BINDINGS = """SELECT binding.type, binding.name, package.name AS package FROM binding
    JOIN binding AS theirs ON theirs.namespace_id = $2 AND theirs.type = binding.type AND theirs.name = binding.name
    JOIN package ON package.id = theirs.package_id WHERE binding.package_id = $1 ORDER BY binding.type, binding.name"""
PATHS = """SELECT file.type, file.path FROM file
    JOIN file AS theirs ON theirs.namespace_id = $2 AND theirs.type = file.type AND theirs.path = file.path
    WHERE file.package_id = $1 ORDER BY file.type, file.path"""
BURNT = """SELECT DISTINCT file.type, file.path FROM file
    JOIN tombstone ON tombstone.namespace_id = $2 AND tombstone.type = file.type AND tombstone.path = file.path AND tombstone.sha256 <> file.sha256
    WHERE file.package_id = $1 ORDER BY file.type, file.path"""


class Collisions(NamedTuple):
    """The first that were found, in words, and how many there are."""

    named: Sequence[str]
    total: int

    def __bool__(self) -> bool:
        return self.total > 0


async def collisions(package_id: int, target: Row) -> Collisions:
    """All that keeps a package from going to a namespace (`id`, `replace`) whose administrator asks for it. In the caller's transaction."""
    found = [f"a package {row['name']}" for row in await fetch(PACKAGES, package_id, target["id"])]
    for row in await fetch(BINDINGS, package_id, target["id"]):
        found.append(f"the {row['type']} name {row['name']}, which belongs to the package {row['package']}")
    found += [f"the file {row['type']}/{row['path']}" for row in await fetch(PATHS, package_id, target["id"])]
    if target["replace"] == "never":
        found += [f"the path {row['type']}/{row['path']}, used before for other bytes" for row in await fetch(BURNT, package_id, target["id"])]
    return Collisions(found[:MOST], len(found))


def refusal(what: str, target: str, found: Collisions) -> str:
    """A sentence that names them."""
    more = found.total - len(found.named)
    return f"{what} cannot go to {target}, which has {', '.join(found.named)}{f' and {more:,} more' if more else ''}. Nothing was changed."
