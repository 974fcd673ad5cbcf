"""Bindings: which package a canonical name means, found or made for a file that is being published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise.exceptions import IntegrityError

from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one
from entrepot.errors import Conflict
from entrepot.services.freed import spellings, take_names, take_names_anew
from entrepot.services.permissions import On
from entrepot.services.releases import order_by_common_key

if TYPE_CHECKING:
    from entrepot.services.drafts import Draft
    from entrepot.site import Site


async def lock_packages(draft: Draft) -> set[int]:
    """Lock the packages that the canonical name is bound to, that it would be bound to and whose file has the path; answers their ids."""
    rows = await fetch(
        """SELECT id FROM package WHERE id = (SELECT package_id FROM binding WHERE namespace_id = $1 AND type = $2 AND name = $3)
        OR id = (SELECT package_id FROM file WHERE namespace_id = $1 AND type = $2 AND path = $5)
        OR (namespace_id = $1 AND name_key = $4) ORDER BY id {lock}""",
        draft.namespace.id,
        draft.type,
        draft.canonical_name,
        draft.name.lower(),
        draft.path,
    )
    return {row["id"] for row in rows}


def require_locked(package_id: int, locked: set[int]) -> None:
    """A package that appeared after the locks were taken is changed by nobody who has not locked it: the transaction is tried again."""
    if package_id not in locked:
        raise IntegrityError("the package was made by another transaction just now")


def refuse_other_visibility(draft: Draft, package: str, private: bool) -> None:
    """Raise Conflict where the draft says that its package is private and it is not, or the other way round."""
    if draft.private is not None and draft.private != private:
        raise Conflict(f"{package} is {'private' if private else 'public'} already, and an upload never changes that. Leave `private` out.")


async def binding_of(site: Site, draft: Draft, locked: set[int], at: int, *, private: bool) -> Row:
    """The package of the canonical name, bound or made now (`private` where the draft does not say), as (id, state, package_id, package).

    Raises IntegrityError where it came to be meanwhile.
    """
    row = await fetch_one(
        """SELECT binding.id, binding.state, package.id AS package_id, package.name AS package, package.private, package.summary
        FROM binding JOIN package ON package.id = binding.package_id
        WHERE binding.namespace_id = $1 AND binding.type = $2 AND binding.name = $3""",
        draft.namespace.id,
        draft.type,
        draft.canonical_name,
    )
    if row is None:
        return await _bound_anew(site, draft, locked, at, private=private)
    require_locked(row["package_id"], locked)
    refuse_other_visibility(draft, row["package"], bool(row["private"]))
    await _touch_package(draft, row["package_id"], at)
    return row


async def _bound_anew(site: Site, draft: Draft, locked: set[int], at: int, *, private: bool) -> Row:
    """The package of the draft's name, found or made, which has the canonical name from now on."""
    found = await _package(draft, locked, at)
    package = found or await _made_package(draft, at, private=private)
    [made] = await fetch(
        "INSERT INTO binding (namespace_id, package_id, type, name, state) VALUES ($1, $2, $3, $4, '{}') RETURNING id",
        draft.namespace.id,
        package["id"],
        draft.type,
        draft.canonical_name,
    )
    on, names = On(draft.namespace.id, draft.namespace.name), {draft.canonical_name}
    if found:
        await take_names(site, draft.actor, on, names=names, knowingly=False)
    else:
        names |= spellings(site.registry, draft.name)
        await take_names_anew(site, draft.actor, on, package_id=package["id"], names=names, knowingly=False, private=draft.private)
    if await fetch_one("SELECT id FROM binding WHERE package_id = $1 AND type <> $2 LIMIT 1", package["id"], draft.type):
        await order_by_common_key(package["id"])
    return {"id": made["id"], "state": "{}", "package_id": package["id"], "package": package["name"]}


async def _package(draft: Draft, locked: set[int], at: int) -> Row | None:
    """The package that is named like the draft."""
    row = await fetch_one("SELECT id, name, private FROM package WHERE namespace_id = $1 AND name_key = $2", draft.namespace.id, draft.name.lower())
    if row is not None:
        require_locked(row["id"], locked)
        refuse_other_visibility(draft, row["name"], bool(row["private"]))
        await _touch_package(draft, row["id"], at)
    return row


async def _made_package(draft: Draft, at: int, *, private: bool) -> Row:
    [made] = await fetch(
        """INSERT INTO package (uuid, namespace_id, name, name_key, private, summary, description, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id, name""",
        new_uuid(),
        draft.namespace.id,
        draft.name,
        draft.name.lower(),
        private if draft.private is None else draft.private,
        draft.inspection.summary,
        draft.inspection.description,
        at,
    )
    return made


async def _touch_package(draft: Draft, package_id: int, at: int) -> None:
    """The first summary and description stay until somebody edits them."""
    await execute(
        """UPDATE package SET updated_at = $1, summary = CASE WHEN summary = '' THEN $2 ELSE summary END,
        description = CASE WHEN description = '' THEN $3 ELSE description END WHERE id = $4""",
        at,
        draft.inspection.summary,
        draft.inspection.description,
        package_id,
    )
