"""Packages, as readers see them: found by name, searched, listed; with their types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from entrepot.db.sql import Row, fetch, marks
from entrepot.errors import BadRequest
from entrepot.packagetype import PackageSummary
from entrepot.services.catalog.pages import Condition, Order, Source
from entrepot.services.permissions import visible_sql

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = """package.id, package.uuid, package.namespace_id, package.name, package.name_key, package.private, package.summary,
    package.description, package.created_at, package.updated_at"""
PACKAGES = Source(table="package", parent="namespace_id", columns=COLUMNS)

BY_NAME = Order("name", ("name_key", "uuid"), (str, str))
BY_UPDATE = Order("updated", ("updated_at", "uuid"), (int, str), descending=True)
BY_CREATION = Order("created", ("created_at", "uuid"), (int, str), descending=True)

MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class PackageFilter:
    """Which packages are wanted; None: any."""

    search: str | None = None
    """Words, each of which the name or the summary contains."""
    type: str | None = None
    platform: str | None = None


def condition_for(site: Site, actor: Actor, wanted: PackageFilter) -> Condition:
    """The packages that are wanted and that the actor may read. Raises ValidationError for an unknown type, BadRequest for a boundless search."""
    condition = Condition()
    condition.add_numbered(visible_sql(site, actor, condition.next))
    for word in _words(wanted.search):
        condition.add("package.name_key LIKE {0} ESCAPE '\\' OR LOWER(package.summary) LIKE {0} ESCAPE '\\'", _pattern(word))
    if wanted.type is not None:
        site.registry.type_named(wanted.type)
        condition.add("EXISTS (SELECT 1 FROM binding WHERE binding.package_id = package.id AND binding.type = {0})", wanted.type)
    if wanted.platform is not None:
        condition.add("EXISTS (SELECT 1 FROM file WHERE file.package_id = package.id AND file.platform = {0})", wanted.platform)
    return condition


def _words(search: str | None) -> list[str]:
    if search is not None and len(search) > MAX_SEARCH:
        raise BadRequest(f"A search takes {MAX_SEARCH} characters at most; this one has {len(search)}.")
    return list(dict.fromkeys((search or "").lower().split()))


def _pattern(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, "\\" + special)
    return f"%{word}%"


async def package_named(site: Site, actor: Actor, *, namespace: str, name: str) -> Row | None:
    """The package of that name, in whatever case it is written; or the one that had it and has moved to another namespace since."""
    condition = Condition()
    condition.add_numbered(visible_sql(site, actor, condition.next))
    condition.add(
        """package.id IN (SELECT named.id FROM namespace JOIN package AS named ON named.namespace_id = namespace.id
            WHERE namespace.name_key = {0} AND named.name_key = {1}
        UNION ALL SELECT freed_package.moved_to_id FROM namespace JOIN freed_package ON freed_package.namespace_id = namespace.id
            WHERE namespace.name_key = {0} AND freed_package.name_key = {1})""",
        namespace.lower(),
        name.lower(),
    )
    rows = await fetch(
        f"SELECT {COLUMNS}, home.name_key AS home FROM package JOIN namespace AS home ON home.id = package.namespace_id WHERE {condition}",
        *condition.values,
    )
    return next((row for row in rows if row["home"] == namespace.lower()), rows[0] if rows else None)


async def package_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The package of that id."""
    condition = Condition()
    condition.add_numbered(visible_sql(site, actor, condition.next))
    condition.add("package.uuid = {0}", uuid)
    rows = await fetch(f"SELECT {COLUMNS} FROM package WHERE {condition}", *condition.values)
    return rows[0] if rows else None


async def packages_by_id(ids: Sequence[int]) -> dict[int, Row]:
    """Packages of which the actor was shown a release or a file."""
    return {row["id"]: row for row in await fetch(f"SELECT {COLUMNS} FROM package WHERE id IN ({marks(ids)})", *ids)}


async def readable_packages(site: Site, actor: Actor, ids: Sequence[int]) -> dict[int, Row]:
    """Those of the packages that the actor may read."""
    condition = Condition()
    condition.add_numbered(visible_sql(site, actor, condition.next))
    condition.add_among("package.id", ids)
    return {row["id"]: row for row in await fetch(f"SELECT {COLUMNS} FROM package WHERE {condition}", *condition.values)}


async def bindings_of(site: Site, package_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The canonical names of each package in the types that are loaded, in the order of types and names."""
    rows = await fetch(
        f"""SELECT binding.id, binding.package_id, binding.type, binding.name, binding.state, package.name AS package, namespace.name AS namespace
        FROM binding JOIN package ON package.id = binding.package_id JOIN namespace ON namespace.id = binding.namespace_id
        WHERE binding.package_id IN ({marks(package_ids)}) ORDER BY binding.type, binding.name""",
        *package_ids,
    )
    return _by_package(package_ids, [row for row in rows if row["type"] in site.registry.types])


async def summaries_of(bindings: Sequence[Row]) -> list[PackageSummary]:
    """What the types may say something of: one summary for each binding."""
    ids = [row["id"] for row in bindings]
    rows = await fetch(
        f"SELECT binding_id, platform, COUNT(*) AS total FROM file WHERE binding_id IN ({marks(ids)}) GROUP BY binding_id, platform", *ids
    )
    platforms: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        platforms[row["binding_id"]][row["platform"]] = row["total"]
    return [_summary(binding, platforms[binding["id"]]) for binding in bindings]


def _summary(binding: Row, platforms: Mapping[str, int]) -> PackageSummary:
    return PackageSummary(
        namespace=binding["namespace"],
        package=binding["package"],
        name=binding["name"],
        state=orjson.loads(binding["state"]),
        platforms=sorted(platform for platform in platforms if platform),
        file_count=sum(platforms.values()),
    )


async def bindings_under(label: str, package_ids: Sequence[int]) -> set[int]:
    """The bindings of these packages that have a file with the label."""
    rows = await fetch(
        f"""SELECT DISTINCT file.binding_id FROM file JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE label.name = $1 AND file.package_id IN ({marks(package_ids, 2)})""",
        label,
        *package_ids,
    )
    return {row["binding_id"] for row in rows}


def _by_package(package_ids: Sequence[int], rows: Sequence[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {package_id: [] for package_id in package_ids}
    for row in rows:
        found[row["package_id"]].append(row)
    return found
