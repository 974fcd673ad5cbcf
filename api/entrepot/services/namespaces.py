"""Namespaces: their names, and finding one by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, marks
from entrepot.errors import Conflict, NotFound, PluginError, ValidationError
from entrepot.services.heads import MAIN

if TYPE_CHECKING:
    from entrepot.registry import Registry

GRAMMAR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def name_key(name: str) -> str:
    """What two names have in common when they are the same: `Alice` and `alice` are one namespace."""
    return name.lower()


def check_name(registry: Registry, name: str) -> None:
    """Raises ValidationError for what can be no namespace's name: it is the first segment of URLs, so look-alikes and reserved words are out."""
    if not GRAMMAR.fullmatch(name):
        raise ValidationError(
            f"{name[:80]!r} cannot be the name of a namespace: use 1 to 64 letters (a-z), digits, '-', '_', '.', beginning with a letter or digit."
        )
    if name_key(name) in {reserved.lower() for reserved in registry.reserved_names}:
        raise ValidationError(f"The name {name} is reserved for the server's own addresses. Choose another name.")


async def namespace_row(name: str) -> Row:
    """The namespace of that name, in whatever case it is written. Raises NotFound."""
    row = await fetch_one("SELECT * FROM namespace WHERE name_key = $1", name_key(name))
    if row is None:
        raise NotFound(f"There is no namespace {name[:80]}.")
    return row


async def add_namespace(*, name: str, kind: str) -> Row:
    """Add a namespace, with its label `main`, in the running transaction. The name must have passed `check_name`.

    Raises Conflict where it is taken, or was ever: who installs from a name must not come to install from somebody else.
    """
    row = await fetch_one(
        'INSERT INTO namespace (uuid, name, name_key, kind, display_name, description, "replace", created_at) '
        "VALUES ($1,$2,$3,$4,'','','after-removal',$5) ON CONFLICT (name_key) DO NOTHING RETURNING *",
        new_uuid(),
        name,
        name_key(name),
        kind,
        now(),
    )
    if row is None or await fetch_one("SELECT id FROM freed_namespace WHERE name_key = $1", name_key(name)):  # after the INSERT, which has waited for
        raise Conflict(f"The name {name} is taken. Choose another name.")  # whoever was just deleting the namespace of that name
    await execute("INSERT INTO label (uuid, namespace_id, name, created_at) VALUES ($1, $2, $3, $4)", new_uuid(), row["id"], MAIN, row["created_at"])
    return row


async def check_existing(registry: Registry) -> None:
    """Raises PluginError where a namespace is older than the reservation of its name: a plugin that came later would serve in its place."""
    reserved = sorted(registry.reserved_names)
    clashing = await fetch(f"SELECT name FROM namespace WHERE name_key IN ({marks(reserved)}) ORDER BY name_key", *reserved)
    if clashing:
        names = ", ".join(row["name"] for row in clashing)
        raise PluginError(
            f"A plugin reserves names that namespaces have: {names}. Leave that plugin out with the setting `plugins`, or uninstall it."
        )
