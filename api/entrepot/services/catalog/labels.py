"""Labels, as readers see them: those that some readable file carries, `main`, and in one's own namespace all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, marks
from entrepot.services.catalog.pages import Condition
from entrepot.services.grants import Level
from entrepot.services.permissions import namespace_level, visible_sql

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = "label.id, label.uuid, label.namespace_id, label.name, label.locked_at, label.created_at"


async def labels_of_files(file_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The labels of each file, by name."""
    return await _labels("file_label.file_id", file_ids)


async def labels_of_packages(package_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The labels on any file of each package, by name."""
    return await _labels("file.package_id", package_ids)


async def _labels(owner: str, ids: Sequence[int]) -> dict[int, list[Row]]:
    rows = await fetch(
        f"""SELECT DISTINCT {owner} AS owner, {COLUMNS} FROM file_label JOIN label ON label.id = file_label.label_id
        JOIN file ON file.id = file_label.file_id WHERE {owner} IN ({marks(ids)}) ORDER BY label.name""",
        *ids,
    )
    found: dict[int, list[Row]] = {one: [] for one in ids}
    for row in rows:
        found[row["owner"]].append(row)
    return found


async def labels_of_namespaces(site: Site, actor: Actor, namespace_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The labels of each namespace, by name; none of one whose profile the actor may not see."""
    found: dict[int, list[Row]] = {one: [] for one in namespace_ids}
    levels = {one: namespace_level(site, actor, namespace_id=one) for one in namespace_ids}
    condition = _readable(site, actor, [one for one in namespace_ids if levels[one] >= Level.WRITE])
    condition.add_among("label.namespace_id", [one for one in namespace_ids if levels[one] >= Level.READ])
    for row in await fetch(f"SELECT {COLUMNS} FROM label WHERE {condition} ORDER BY label.name", *condition.values):
        found[row["namespace_id"]].append(row)
    return found


async def label_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The label of that id."""
    rows = await fetch(f"SELECT {COLUMNS} FROM label WHERE uuid = $1", uuid)
    if not rows:
        return None
    readable = await labels_of_namespaces(site, actor, [rows[0]["namespace_id"]])
    return next((row for row in readable[rows[0]["namespace_id"]] if row["uuid"] == uuid), None)


def _readable(site: Site, actor: Actor, own: Sequence[int]) -> Condition:
    condition = Condition()
    condition.values += own
    mine = marks(own)
    visible, values = visible_sql(site, actor, condition.next)
    condition.add_numbered(
        (
            f"""label.name = 'main' OR label.namespace_id IN ({mine}) OR EXISTS (
                SELECT 1 FROM file_label JOIN file ON file.id = file_label.file_id JOIN package ON package.id = file.package_id
                WHERE file_label.label_id = label.id AND {visible})""",
            values,
        )
    )
    return condition
