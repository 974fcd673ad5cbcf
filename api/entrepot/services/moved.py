"""Where a file went that is not at its old address any more."""

from __future__ import annotations

from entrepot.db.sql import Row, fetch_one
from entrepot.errors import BadRequest

# the youngest tombstone alone: a path that was used again, and removed again, leads nowhere
MOVED = """SELECT namespace.name AS namespace, file.namespace_id, file.package_id, package.private, grave.namespace_id AS old_namespace_id,
    here.package_id AS old_package_id, its.private AS old_private
    FROM tombstone AS grave JOIN file ON file.id = grave.moved_to_id
    JOIN namespace ON namespace.id = file.namespace_id JOIN package ON package.id = file.package_id
    LEFT JOIN file AS here ON here.namespace_id = grave.namespace_id AND here.type = grave.type AND here.path = grave.path
    LEFT JOIN package AS its ON its.id = here.package_id
    WHERE grave.id = (SELECT max(tombstone.id) FROM namespace AS home JOIN tombstone ON tombstone.namespace_id = home.id
        WHERE home.name_key = $1 AND tombstone.type = $2 AND tombstone.path = $3)"""


async def moved_file(*, namespace: str, type: str, path: str) -> Row | None:
    """The namespace and package in which a file is that was at this path, if it has moved. Its path there is the same.

    Whoever asks must see to it that its package may be read, and that the one of the file which has the old path now (`old_package_id`) may not.
    `namespace` is lower-cased.
    """
    try:
        return await fetch_one(MOVED, namespace, type, path)
    except BadRequest:  # no column can hold that path
        return None
