"""Where a file went that is not at its old address any more."""

from __future__ import annotations

from entrepot.db.sql import Row, fetch_one
from entrepot.errors import BadRequest

# the youngest tombstone alone: a path that was used again, and removed again, leads nowhere
MOVED = """SELECT namespace.name AS namespace, file.namespace_id, file.package_id, package.private
    FROM tombstone JOIN file ON file.id = tombstone.moved_to_id
    JOIN namespace ON namespace.id = file.namespace_id JOIN package ON package.id = file.package_id
    WHERE tombstone.id = (SELECT max(grave.id) FROM namespace AS home JOIN tombstone AS grave ON grave.namespace_id = home.id
        WHERE home.name_key = $1 AND grave.type = $2 AND grave.path = $3)"""


async def moved_file(*, namespace: str, type: str, path: str) -> Row | None:
    """The namespace and package in which a file is that was at this path, if it has moved. Its path there is the same.

    Whoever asks must see to it that its package may be read. `namespace` is lower-cased.
    """
    try:
        return await fetch_one(MOVED, namespace, type, path)
    except BadRequest:  # no column can hold that path
        return None
