"""Namespaces, as readers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, fetch_one, marks
from entrepot.services.grants import Level
from entrepot.services.namespaces import name_key
from entrepot.services.permissions import namespace_level

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = "id, uuid, name, kind, display_name, description, default_visibility, strictness, created_at"


async def namespace_named(site: Site, actor: Actor, *, name: str) -> Row | None:
    """The namespace of that name, in whatever case it is written."""
    return _readable(site, actor, await fetch_one(f"SELECT {COLUMNS} FROM namespace WHERE name_key = $1", name_key(name)))


async def namespace_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The namespace of that id."""
    return _readable(site, actor, await fetch_one(f"SELECT {COLUMNS} FROM namespace WHERE uuid = $1", uuid))


async def namespaces_by_id(ids: Sequence[int]) -> dict[int, Row]:
    """Namespaces to which something belongs that the actor was shown."""
    return {row["id"]: row for row in await fetch(f"SELECT {COLUMNS} FROM namespace WHERE id IN ({marks(ids)})", *ids)}


def _readable(site: Site, actor: Actor, row: Row | None) -> Row | None:
    return row if row and namespace_level(site, actor, namespace_id=row["id"]) >= Level.READ else None
