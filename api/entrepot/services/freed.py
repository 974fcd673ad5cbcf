"""Names that packages have left behind, by deletion or by moving away: for nobody below an administrator of the namespace to take.

Whoever knew the package trusts its name. A writer who could make a new one of it, by an upload that is named like it, would be trusted for nothing.
The row of a package that has moved says where it went, until the name is taken again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, marks, rows_of
from entrepot.errors import PermissionDenied
from entrepot.services.grants import Level
from entrepot.services.permissions import given

if TYPE_CHECKING:
    from entrepot.services.actors import Actor

FREE = """INSERT INTO freed_package (namespace_id, name_key, freed_at, private, moved_to_id) VALUES {rows}
    ON CONFLICT (namespace_id, name_key) DO UPDATE
    SET freed_at = excluded.freed_at, private = excluded.private, moved_to_id = excluded.moved_to_id"""
END_REDIRECTS = """UPDATE tombstone SET moved_to_id = NULL
    WHERE namespace_id = $1 AND moved_to_id IN (SELECT id FROM file WHERE package_id = $2)"""


async def free_names(package: Row, *, moved: bool) -> None:
    """Reserve the names of a package (a row of `selections.locked_package`) that is about to be deleted or to move to another namespace.

    Those are its own and what its types call it: `foo_bar` on PyPI is `foo-bar` too. In the caller's transaction.
    """
    rows = await fetch("SELECT name FROM binding WHERE package_id = $1", package["package_id"])
    names = sorted({package["package"].lower(), *(row["name"].lower() for row in rows)})
    at, moved_to = now(), package["package_id"] if moved else None
    values = [value for name in names for value in (package["namespace_id"], name, at, bool(package["private"]), moved_to)]
    await execute(FREE.format(rows=rows_of(len(names), 5)), *values)


async def take_names(actor: Actor, *, namespace_id: int, namespace: str, names: Iterable[str]) -> None:
    """Let a package that is about to be made have these names. Where they were freed, nothing leads from here to the package that had them any more.

    In the caller's transaction. Raises PermissionDenied for a freed name and anybody below an administrator of the namespace.
    """
    wanted = sorted({name.lower() for name in names})
    freed = await fetch(
        f"SELECT id, name_key, moved_to_id FROM freed_package WHERE namespace_id = $1 AND name_key IN ({marks(wanted, 2)}) ORDER BY id {{lock}}",
        namespace_id,
        *wanted,
    )
    if not freed:
        return
    if given(actor, namespace_id=namespace_id, package_id=None) < Level.ADMIN:
        raise PermissionDenied(
            f"A package {freed[0]['name_key']} of {namespace} was deleted or has moved, and its name is reserved. "
            f"Ask an administrator of {namespace} to create the package, or choose another name."
        )
    await execute(f"DELETE FROM freed_package WHERE id IN ({marks(freed)})", *(row["id"] for row in freed))
    for moved_to in {row["moved_to_id"] for row in freed} - {None}:
        await execute(END_REDIRECTS, namespace_id, moved_to)
