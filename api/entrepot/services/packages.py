"""Packages: created before their first file, described, made public or private, deleted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch_one, transact, transaction
from entrepot.errors import Conflict, ValidationError
from entrepot.services import audit, heads
from entrepot.services.credentials import confirmed
from entrepot.services.freed import free_names, spellings, take_names_anew
from entrepot.services.grants import Level
from entrepot.services.namespaces import name_key
from entrepot.services.notices import tell_of_files, tell_of_package
from entrepot.services.permissions import On, not_found, require
from entrepot.services.removals import Removal, remove_rows, shown_in
from entrepot.services.selections import FileSelection, locked_package, selected
from entrepot.services.texts import check_text

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

GRAMMAR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,254}")
LONGEST = {"summary": 1_000, "description": 200_000}
"""In characters."""


async def create_package(
    site: Site, *, actor: Actor, namespace: str, name: str, summary: str = "", description: str = "", private: bool | None = None
) -> str:
    """Create a package without files; answers its id. The first file that is named like it goes there, and meets the visibility chosen here, which is
    the namespace's default where nobody chose.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Conflict.
    """
    async with transaction():
        owner = await fetch_one("SELECT id, name, default_visibility FROM namespace WHERE name_key = $1 {share}", name_key(namespace))
        if owner is None:
            raise not_found(f"namespace {namespace[:64]}")
        actor = await confirmed(actor)
        require(site, actor, Level.WRITE, on := On(owner["id"], owner["name"]))
        _check_name(name)
        check_text("summary", summary, most=LONGEST["summary"])
        check_text("description", description, most=LONGEST["description"])
        chosen = owner["default_visibility"] == "private" if private is None else private
        made = await _insert(owner, name, summary, description, chosen)
        if made is None:
            raise Conflict(f"{owner['name']} has a package {name} already. Upload to it, or choose another name.")
        names = spellings(site.registry, name)
        inherited = await take_names_anew(site, actor, on, package_id=made["id"], names=names, knowingly=True, private=private)
        await audit.record(
            actor=actor,
            action="package.create",
            subject=f"{owner['name']}/{name}",
            namespace_id=owner["id"],
            details={"visibility": _visibility(chosen or inherited)},
        )
    tell_of_package(site, actor, namespace=owner["name"], package=name, action="package.create")
    return str(made["uuid"])


async def update_package(
    site: Site, *, actor: Actor, package: str, summary: str | None = None, description: str | None = None, private: bool | None = None
) -> None:
    """Change what is given (None: leave it) of a package, by its id; visibility takes an administrator.

    A change of visibility bumps the heads of every document that shows the package: who may see it has changed, so their contents have.
    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    texts = {"summary": summary, "description": description}
    async with transaction():
        row = await locked_package(site, actor, Level.WRITE if private is None else Level.ADMIN, uuid=package)
        changes: dict[str, Any] = {what: text for what, text in texts.items() if text is not None and text != row[what]}
        for what, text in changes.items():
            check_text(what, text, most=LONGEST[what])
        if private is not None and private != bool(row["private"]):
            changes["private"] = private
        if not changes:
            return
        await _update(row, changes)
        details: dict[str, Any] = {"changed": sorted(changes)} | ({"visibility": _visibility(changes["private"])} if "private" in changes else {})
        await audit.record(
            actor=actor, action="package.update", subject=f"{row['namespace']}/{row['package']}", namespace_id=row["namespace_id"], details=details
        )
        if "private" in changes:
            await heads.bump(await shown_in("file.package_id = $1", row["package_id"]), hiding=changes["private"])
    tell_of_package(site, actor, namespace=row["namespace"], package=row["package"], action="package.update", **details)


async def delete_package(site: Site, *, actor: Actor, package: str, confirmation: str) -> Row:
    """Delete a package by its id, with its releases, files and names; tombstones stay of the files. Answers what it was.

    `confirmation` must be its full name, `namespace/package`. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """

    async def write() -> tuple[Row, Removal, dict[str, Any]]:
        row = await locked_package(site, actor, Level.ADMIN, uuid=package)
        full_name = f"{row['namespace']}/{row['package']}"
        if confirmation != full_name:
            raise ValidationError(f"To delete the package with all its files, confirm it by its full name: {full_name}", field="confirmation")
        files = (await selected(site, actor, FileSelection(package=package))).or_raise()
        removal = await remove_rows(actor, files)
        await free_names(row, moved=False)
        details = {"files": len(files), "types": sorted({file["type"] for file in files})}
        await audit.record(actor=actor, action="package.delete", subject=full_name, namespace_id=row["namespace_id"], details=details)
        await execute("DELETE FROM shard WHERE package_id = $1", row["package_id"])  # should the name come back, its shards are another package's
        await execute("DELETE FROM package WHERE id = $1", row["package_id"])
        await heads.bump(removal.touched, hiding=not row["private"])
        return row, removal, details

    row, removal, details = await transact(write)  # a one-time upload by a token that is bound to the package takes its rows in another order
    tell_of_files(site, "file_removed", removal.events)
    tell_of_package(site, actor, namespace=row["namespace"], package=row["package"], action="package.delete", **details)
    return row


async def _insert(owner: Row, name: str, summary: str, description: str, private: bool) -> Row | None:
    """The new package, as (id, uuid); None where the name is taken."""
    return await fetch_one(
        """INSERT INTO package (uuid, namespace_id, name, name_key, private, summary, description, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (namespace_id, name_key) DO NOTHING RETURNING id, uuid""",
        new_uuid(),
        owner["id"],
        name,
        name.lower(),
        private,
        summary,
        description,
        now(),
    )


async def _update(row: Row, changes: dict[str, Any]) -> None:
    columns = ", ".join(f"{column} = ${number}" for number, column in enumerate(changes, 3))
    await execute(f"UPDATE package SET updated_at = $1, {columns} WHERE id = $2", now(), row["package_id"], *changes.values())


def _visibility(private: bool) -> str:
    return "private" if private else "public"


def _check_name(name: str) -> None:
    if not GRAMMAR.fullmatch(name):
        raise ValidationError(
            f"{name[:80]!r} cannot be the name of a package: use 1 to 255 letters (a-z), digits, '-', '_', '.', '+', beginning with a letter, digit "
            "or '_'.",
            field="name",
        )
