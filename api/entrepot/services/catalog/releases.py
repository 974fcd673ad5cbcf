"""Releases, as readers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, marks
from entrepot.services.catalog.pages import Condition, Order, Source, pages
from entrepot.services.permissions import visible_sql

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = "release.id, release.uuid, release.package_id, release.version, release.version_key, release.created_at"
RELEASES = Source(table="release", parent="package_id", columns=COLUMNS)

BY_VERSION = Order("version", ("version_key", "uuid"), (bytes, str), descending=True)


async def release_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The release of that id."""
    condition = Condition()
    condition.add_numbered(visible_sql(site, actor, condition.next))
    condition.add("release.uuid = {0}", uuid)
    rows = await fetch(f"SELECT {COLUMNS} FROM release JOIN package ON package.id = release.package_id WHERE {condition}", *condition.values)
    return rows[0] if rows else None


async def releases_by_id(ids: Sequence[int]) -> dict[int, Row]:
    """Releases of which the actor was shown a file."""
    return {row["id"]: row for row in await fetch(f"SELECT {COLUMNS} FROM release WHERE id IN ({marks(ids)})", *ids)}


async def latest_releases(package_ids: Sequence[int]) -> dict[int, Row]:
    """The release with the highest version of each package that has one."""
    found = await pages(RELEASES, Condition(), BY_VERSION, parents=package_ids, first=1)
    return {package_id: page.rows[0] for package_id, page in found.items() if page.rows}
