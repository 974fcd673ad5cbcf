"""Names that packages have left behind, by deletion or by moving away: for nobody below an administrator of the namespace to take.

Whoever knew the package trusts its name. A writer who could make a new one of it, by an upload that is named like it, would be trusted for nothing.
The row of a package that has moved says where it went, until the name is taken again: by `createPackage` or a transfer and not by an upload, since
who uploads unattended does not know that the package has gone. Whoever takes the name of a private package without saying who may read the new one
gets a private one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, fetch_one, marks, rows_of
from entrepot.errors import Conflict, PermissionDenied, ValidationError
from entrepot.services.grants import Level
from entrepot.services.permissions import API_READ, On, given, sees, upload_needs

if TYPE_CHECKING:
    from entrepot.registry import Registry
    from entrepot.services.actors import Actor
    from entrepot.site import Site

FREE = """INSERT INTO freed_package (namespace_id, name_key, freed_at, private, moved_to_id) VALUES {rows}
    ON CONFLICT (namespace_id, name_key) DO UPDATE
    SET freed_at = excluded.freed_at, private = excluded.private, moved_to_id = excluded.moved_to_id"""
FREED = """SELECT id, name_key, private, moved_to_id FROM freed_package WHERE namespace_id = $1 AND name_key IN ({names}) ORDER BY id {{lock}}"""
END_REDIRECTS = """UPDATE tombstone SET moved_to_id = NULL WHERE namespace_id = $1 AND moved_to_id IN (
    SELECT file.id FROM file JOIN binding ON binding.id = file.binding_id WHERE file.package_id = $2 AND lower(binding.name) IN ({names}))"""


def spellings(registry: Registry, name: str) -> set[str]:
    """What a package of this name would be called by each type: `foo_bar` is `foo-bar` on PyPI. Who may have the one may have the other."""
    found = {name.lower()}
    for type in registry.types.values():
        with suppress(ValidationError):  # no name of that type
            found.add(type.canonical_name(name).lower())
    return found


async def free_names(package: Row, *, moved: bool) -> None:
    """Reserve the names of a package (a row of `selections.locked_package`) that is about to be deleted or to move to another namespace.

    Those are its own and what its types call it: `foo_bar` on PyPI is `foo-bar` too. In the caller's transaction.
    """
    rows = await fetch("SELECT name FROM binding WHERE package_id = $1", package["package_id"])
    names = sorted({package["package"].lower(), *(row["name"].lower() for row in rows)})
    at, moved_to = now(), package["package_id"] if moved else None
    values = [value for name in names for value in (package["namespace_id"], name, at, bool(package["private"]), moved_to)]
    await execute(FREE.format(rows=rows_of(len(names), 5)), *values)


async def take_names(site: Site, actor: Actor, on: On, *, names: Iterable[str], knowingly: bool) -> bool:
    """Let a package have these names of a namespace, after it was made, or bound to them: that has waited for whoever was just freeing one.

    Nothing leads from here to the packages that had them any more. Answers whether one of those was private. `knowingly`: the actor has named the
    package, and does not just bring a file of it. In the caller's transaction.
    Raises PermissionDenied for a freed name and anybody below an administrator of the namespace, Conflict for one that has moved.
    """
    wanted = sorted({name.lower() for name in names})
    freed = await fetch(FREED.format(names=marks(wanted, 2)), on.namespace_id, *wanted)
    if not freed:
        return False
    moved = [row for row in freed if row["moved_to_id"] is not None]
    if moved and not knowingly:
        raise await _has_moved(site, actor, on.namespace, moved[0])
    if given(actor, namespace_id=on.namespace_id, package_id=None) < Level.ADMIN:
        raise PermissionDenied(
            f"A package {freed[0]['name_key']} of {on.namespace} was deleted or has moved, and its name is reserved. "
            f"Ask an administrator of {on.namespace} to create the package, or choose another name."
        )
    await execute(f"DELETE FROM freed_package WHERE id IN ({marks(freed)})", *(row["id"] for row in freed))
    await _end_redirects(on.namespace_id, moved)
    return any(row["private"] for row in freed)


async def take_names_anew(
    site: Site, actor: Actor, on: On, *, package_id: int, names: Iterable[str], knowingly: bool, private: bool | None = None
) -> bool:
    """`take_names` for a package that was just made. Where nobody says who may read it (`private` is None), and a private one has had one of the
    names, it is private too: answers whether that is why.
    """
    was_private = await take_names(site, actor, on, names=names, knowingly=knowingly)
    if not was_private or private is not None:
        return False
    await execute("UPDATE package SET private = TRUE WHERE id = $1", package_id)
    return True


async def _end_redirects(namespace_id: int, moved: Sequence[Row]) -> None:
    """Of the files that went by a name which is taken now; those of the package's other names are found as before."""
    names = sorted(row["name_key"] for row in moved)
    for moved_to in {row["moved_to_id"] for row in moved}:
        await execute(END_REDIRECTS.format(names=marks(names, 3)), namespace_id, moved_to, *names)


async def _has_moved(site: Site, actor: Actor, namespace: str, freed: Row) -> Conflict:
    """The refusal of a file; says where the package is only to who sees it there."""
    there = await fetch_one(
        """SELECT package.id AS package_id, package.name AS package, package.private, package.namespace_id, namespace.name AS namespace
        FROM package JOIN namespace ON namespace.id = package.namespace_id WHERE package.id = $1""",
        freed["moved_to_id"],
    )
    needs = (*API_READ, *upload_needs(site, None), *(f"{type}:download" for type in site.registry.types))
    if there is not None and sees(site, actor, On.package_of(there), needs=needs):
        place = f"{there['namespace']}/{there['package']}"
        return Conflict(f"{there['package']} has moved to {place}: upload there, or take the name again by createPackage.")
    return Conflict(
        f"The package {freed['name_key']} of {namespace} has moved, and its name is reserved. An administrator of {namespace} may take it again by "
        "createPackage."
    )
