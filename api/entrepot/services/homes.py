"""Where copies go: for each canonical name the package that has it in the target namespace, or one that is made for it now.

As for uploads: the binding decides, then the package of the same name. What is made is as private as what it was copied from, and never less, so that
a copy publishes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from tortoise.exceptions import IntegrityError

from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one
from entrepot.errors import Conflict
from entrepot.services.freed import spellings, take_names, take_names_anew
from entrepot.services.grants import Level
from entrepot.services.permissions import API_READ, API_WRITE, On, require, sees
from entrepot.services.releases import order_by_common_key

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

FOUND = """SELECT package.id AS package_id, package.name AS package, package.private, binding.id AS binding_id, binding.state
    FROM package LEFT JOIN binding ON binding.package_id = package.id AND binding.type = $2 AND binding.name = $3
    WHERE package.id = coalesce((SELECT package_id FROM binding WHERE namespace_id = $1 AND type = $2 AND name = $3),
        (SELECT id FROM package WHERE namespace_id = $1 AND name_key = $4))"""


class Name(NamedTuple):
    """A canonical name of a type."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Guest:
    """What comes under a canonical name: from which package, and whether any of it is private."""

    name: Name
    package_id: int
    package: str
    private: bool
    beside_private: bool
    """Whether anything is that comes from packages of the same name: one that is made for it is for all of them."""


@dataclass(frozen=True, slots=True)
class Home:
    """A package of the target, with its binding of the name."""

    package_id: int
    package: str
    binding_id: int
    state: str


def guests_of(rows: Iterable[Row]) -> list[Guest]:
    """The canonical names of files (rows of `selections.COLUMNS`), in their order."""
    found: dict[Name, Guest] = {}
    for row in rows:
        name = Name(row["type"], row["name"])
        guest = found.get(name) or Guest(name, row["package_id"], row["package"], False, False)
        found[name] = replace(guest, private=guest.private or bool(row["private"]))
    private = {guest.package.lower() for guest in found.values() if guest.private}
    return [replace(found[name], beside_private=found[name].package.lower() in private) for name in sorted(found)]


async def found_home(namespace_id: int, guest: Guest) -> Row | None:
    """The package that has the name there, or its own name."""
    return await fetch_one(FOUND, namespace_id, *guest.name, guest.package.lower())


async def home_for(site: Site, actor: Actor, target: Row, guest: Guest, *, held: set[int], at: int) -> Home:
    """The package that the name goes to in the target (`id`, `name`), found or made, if the actor may write to it. In the caller's transaction.

    `held`: the packages that the transaction has locked or made. Raises Unauthenticated, PermissionDenied, Conflict, IntegrityError for a package
    that came to be after the locks were taken.
    """
    needs, reads = (f"{guest.name.type}:upload", *API_WRITE), (f"{guest.name.type}:download", *API_READ)
    row = await found_home(target["id"], guest)
    namespace = On(target["id"], target["name"])
    if row is None:
        require(site, actor, Level.WRITE, namespace, needs=needs)
        package_id = await _made(target, guest, at)
        held.add(package_id)
        home = Home(package_id, guest.package, await _bound(target["id"], package_id, guest.name), "{}")
        names = {guest.name.name, *spellings(site.registry, guest.package)}
        await take_names_anew(site, actor, namespace, package_id=package_id, names=names, knowingly=False)
        return home
    on = replace(namespace, package_id=row["package_id"], package=row["package"], private=bool(row["private"]))
    visible = sees(site, actor, on, needs=(*needs, *reads))  # one that is not is answered as one that is not there
    require(site, actor, Level.WRITE, on if visible else namespace, needs=needs, reads=reads)
    if row["package_id"] not in held:
        raise IntegrityError("the package was made by another transaction just now")
    if guest.private and not row["private"]:
        raise Conflict(
            f"{guest.package} is private, and {target['name']}/{row['package']} is public: a copy never publishes. "
            "Make that package private first, or copy to another namespace."
        )
    if row["binding_id"] is None:
        home = Home(row["package_id"], row["package"], await _bound(target["id"], row["package_id"], guest.name), "{}")
        await take_names(site, actor, namespace, names={guest.name.name}, knowingly=False)
        return home
    return Home(row["package_id"], row["package"], row["binding_id"], row["state"])


async def _made(target: Row, guest: Guest, at: int) -> int:
    [made] = await fetch(
        """INSERT INTO package (uuid, namespace_id, name, name_key, private, summary, description, created_at, updated_at)
        SELECT CAST($1 AS VARCHAR(36)), CAST($2 AS BIGINT), name, name_key, CAST($3 AS BOOLEAN), summary, description,
            CAST($4 AS BIGINT), CAST($4 AS BIGINT)
        FROM package WHERE id = $5 RETURNING id""",
        new_uuid(),
        target["id"],
        guest.beside_private,
        at,
        guest.package_id,
    )
    return int(made["id"])


async def _bound(namespace_id: int, package_id: int, name: Name) -> int:
    [made] = await fetch(
        "INSERT INTO binding (namespace_id, package_id, type, name, state) VALUES ($1, $2, $3, $4, '{}') RETURNING id",
        namespace_id,
        package_id,
        *name,
    )
    if await fetch_one("SELECT id FROM binding WHERE package_id = $1 AND type <> $2 LIMIT 1", package_id, name.type):
        await order_by_common_key(package_id)
    return int(made["id"])


async def touch_homes(homes: Iterable[Home], at: int) -> None:
    """Note that packages have changed."""
    for package_id in sorted({home.package_id for home in homes}):
        await execute("UPDATE package SET updated_at = $1 WHERE id = $2", at, package_id)
