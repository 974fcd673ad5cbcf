"""Files, as readers see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, marks
from entrepot.errors import ValidationError
from entrepot.services.catalog.pages import Condition, Order, Source
from entrepot.services.labels import label_name
from entrepot.services.permissions import visible_sql

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

COLUMNS = """file.id, file.uuid, file.package_id, file.release_id, file.binding_id, file.type, file.version, file.path, file.basename,
    file.platform, file.size, file.sha256, file.md5, file.blake2b, file.attributes, file.state, file.summary, file.uploaded_by_id,
    file.uploaded_at"""
FILES_OF_PACKAGE = Source(table="file", parent="package_id", columns=COLUMNS)
FILES_OF_RELEASE = Source(table="file", parent="release_id", columns=COLUMNS)

NEWEST_FIRST = Order("newest", ("uploaded_at", "uuid"), (int, str), descending=True)


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files are wanted; None: any."""

    type: str | None = None
    label: str | None = None
    version: str | None = None
    """Files whose type takes this for their version are found: 1.0 finds 1.0.0 where the two are the same."""
    platform: str | None = None


def condition_for(site: Site, wanted: FileFilter) -> Condition:
    """The files that are wanted, of packages that the actor was shown. Raises ValidationError for an unknown type and for what is no label."""
    condition = Condition()
    types = list(site.registry.types) if wanted.type is None else [site.registry.type_named(wanted.type).name]
    condition.add_among("file.type", types)  # files of a plugin that is not loaded now cannot be shown
    if wanted.label is not None:
        condition.add(
            "EXISTS (SELECT 1 FROM file_label JOIN label ON label.id = file_label.label_id WHERE file_label.file_id = file.id AND label.name = {0})",
            label_name(wanted.label),
        )
    if wanted.platform is not None:
        condition.add("file.platform = {0}", wanted.platform)
    if wanted.version is not None:
        _add_version(condition, site, types, wanted.version)
    return condition


def _add_version(condition: Condition, site: Site, types: Sequence[str], version: str) -> None:
    same: list[str] = []
    for name in types:
        try:
            same += [name, site.registry.types[name].canonical_version(version)]
        except ValidationError:
            continue
    pairs = [f"(file.type = {{{index}}} AND release.canonical_version = {{{index + 1}}})" for index in range(0, len(same), 2)]
    meant = " OR ".join([*pairs, f"file.version = {{{len(same)}}}"])
    condition.add(f"EXISTS (SELECT 1 FROM release WHERE release.id = file.release_id AND ({meant}))", *same, version)


async def file_by_uuid(site: Site, actor: Actor, *, uuid: str) -> Row | None:
    """The file of that id."""
    condition = condition_for(site, FileFilter())
    condition.add_numbered(visible_sql(site, actor, condition.next))
    condition.add("file.uuid = {0}", uuid)
    rows = await fetch(f"SELECT {COLUMNS} FROM file JOIN package ON package.id = file.package_id WHERE {condition}", *condition.values)
    return rows[0] if rows else None


async def files_by_uuid(site: Site, uuids: Sequence[str]) -> list[Row]:
    """The files of these ids, which the actor was shown, in the order of their paths."""
    condition = condition_for(site, FileFilter())
    condition.add_among("file.uuid", uuids)
    return await fetch(f"SELECT {COLUMNS} FROM file WHERE {condition} ORDER BY file.path, file.uuid", *condition.values)


async def bindings_by_id(ids: Sequence[int]) -> dict[int, Row]:
    """What files have in common with the others of their canonical name. A join would read it again for each file."""
    rows = await fetch(
        f"""SELECT binding.id, binding.name, binding.state AS package_state, package.name AS package, namespace.name AS namespace
        FROM binding JOIN package ON package.id = binding.package_id JOIN namespace ON namespace.id = binding.namespace_id
        WHERE binding.id IN ({marks(ids)})""",
        *ids,
    )
    return {row["id"]: row for row in rows}
