"""Which files a change is about: named one by one, or all of a release or of a package; found, locked and judged once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from entrepot.db.sql import Row, fetch, fetch_one, marks, rows_of
from entrepot.errors import EntrepotError, ValidationError
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.permissions import API_READ, API_WRITE, On, not_found, require, sees

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from entrepot.services.actors import Actor
    from entrepot.site import Site

MOST_FILES = 1000
"""How many files one change may name one by one."""
NOTHING_MEANT = "Say which files: name them, a release, or a package."

COLUMNS = """file.id, file.uuid, file.namespace_id, namespace.name AS namespace, file.package_id, package.uuid AS package_uuid,
    package.name AS package, package.private, file.release_id, binding.name AS name, file.type, file.version, file.path, file.sha256"""
TABLES = """file JOIN namespace ON namespace.id = file.namespace_id JOIN package ON package.id = file.package_id
    JOIN binding ON binding.id = file.binding_id"""


class Address(NamedTuple):
    """A file by its place."""

    namespace: str
    type: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} in {self.namespace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelection:
    """The files that are meant. Exactly one of these is given."""

    ids: Sequence[str] | None = None
    addresses: Sequence[Address] | None = None
    release: str | None = None
    """The id of a release; all its files."""
    package: str | None = None
    """The id of a package; all its files."""

    @property
    def whole(self) -> bool:
        """Whether all files of something are meant, however many."""
        return self.ids is None and self.addresses is None


class Refused(NamedTuple):
    """A file that was named and will not be changed, and why."""

    named: str
    error: EntrepotError


class Selected(NamedTuple):
    """The files that may be changed, by their ids, and those that may not."""

    rows: Sequence[Row]
    refused: Sequence[Refused]

    def or_raise(self) -> Sequence[Row]:
        """All that were meant. Raises the first refusal."""
        for one in self.refused:
            raise one.error
        return self.rows


async def selected(site: Site, actor: Actor, selection: FileSelection, level: Level = Level.WRITE) -> Selected:
    """The files of a selection on whose packages the actor has the level, locked until the running transaction ends.

    What is locked is locked in the order namespaces, packages, files.
    Raises ValidationError for a selection of nothing or of too many, NotFound for a package or release that is not there for this actor, and what
    permission raises on it.
    """
    if selection.ids is not None:
        return await _named(site, actor, level, {one: one for one in selection.ids}, *_by_ids(selection.ids), lambda row: row["uuid"])
    if selection.addresses is not None:
        wanted = {Address(one.namespace.lower(), one.type, one.path): str(one) for one in selection.addresses}
        return await _named(
            site, actor, level, wanted, *_by_addresses(list(wanted)), lambda row: Address(row["namespace"].lower(), row["type"], row["path"])
        )
    if selection.release is not None:
        row = await locked_release(site, actor, level, uuid=selection.release)
        return Selected(await _rows("file.release_id = $1", row["release_id"]), ())
    if selection.package is not None:
        row = await locked_package(site, actor, level, uuid=selection.package)
        return Selected(await _rows("file.package_id = $1", row["package_id"]), ())
    raise ValidationError(NOTHING_MEANT)


async def readable(site: Site, actor: Actor, selection: FileSelection) -> Sequence[Row]:
    """The files of a selection, none of them locked, all of which the actor may read.

    Raises ValidationError for a selection of nothing or of too many, NotFound for what is not there for this actor.
    """
    if selection.whole:
        rows = await _all_of(site, actor, selection)
        for row in {(row["package_id"], row["type"]): row for row in rows}.values():
            _require_sight(site, actor, row, str(_address(row)))
        return rows
    key: Callable[[Row], Any] = _uuid
    wanted: Mapping[Any, str]
    if selection.addresses is not None:
        key, wanted = _address, {Address(one.namespace.lower(), one.type, one.path): str(one) for one in selection.addresses}
        rows = await _listed(wanted, *_by_addresses(list(wanted)))
    else:
        wanted = {one: one for one in selection.ids or ()}
        rows = await _listed(wanted, *_by_ids(list(wanted)))
    seen = {key(row): row for row in rows}
    for one, name in wanted.items():
        _require_sight(site, actor, seen.get(one), name)
    return sorted(rows, key=lambda row: int(row["id"]))


def _require_sight(site: Site, actor: Actor, row: Row | None, name: str) -> None:
    if row is None or not sees(site, actor, On.package_of(row), needs=(f"{row['type']}:download", *API_READ)):
        raise not_found(f"file {name}")


async def _listed(wanted: Mapping[Any, str], statement: str, values: Sequence[Any]) -> Sequence[Row]:
    _check_number(wanted)
    ids = [row["id"] for row in await fetch(statement, *values)]
    return await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.id IN ({marks(ids)})", *ids)


async def _all_of(site: Site, actor: Actor, selection: FileSelection) -> Sequence[Row]:
    if selection.package is None and selection.release is None:
        raise ValidationError(NOTHING_MEANT)
    kind, uuid = ("package", selection.package) if selection.package is not None else ("release", selection.release)
    release = "" if kind == "package" else "JOIN release ON release.package_id = package.id"
    found = await fetch(
        f"""SELECT {kind}.id, package.id AS package_id, package.name AS package, package.private, namespace.id AS namespace_id,
        namespace.name AS namespace FROM package JOIN namespace ON namespace.id = package.namespace_id {release} WHERE {kind}.uuid = $1""",
        uuid,
    )
    reads = (*API_READ, *(f"{type}:download" for type in site.registry.types))
    if not found or not sees(site, actor, On.package_of(found[0]), needs=reads):
        raise not_found(f"{kind} with this id")
    return await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.{kind}_id = $1 ORDER BY file.id", found[0]["id"])


PACKAGE = """SELECT package.id AS package_id, package.uuid, package.namespace_id, namespace.name AS namespace, package.name AS package,
    package.private, package.summary, package.description
    FROM package JOIN namespace ON namespace.id = package.namespace_id WHERE package.uuid = $1"""
RELEASE = """SELECT release.id AS release_id, release.uuid AS release_uuid, release.version, package.id AS package_id, package.uuid,
    package.name AS package, package.private, package.namespace_id, namespace.name AS namespace
    FROM release JOIN package ON package.id = release.package_id JOIN namespace ON namespace.id = package.namespace_id WHERE release.uuid = $1"""


async def locked_package(site: Site, actor: Actor, level: Level, *, uuid: str) -> Row:
    """A package on which the actor has the level, its namespace's row and its own locked. Raises NotFound, Unauthenticated, PermissionDenied."""
    return await _locked(site, actor, level, PACKAGE, uuid, "package with this id")


async def locked_release(site: Site, actor: Actor, level: Level, *, uuid: str) -> Row:
    """A release on whose package the actor has the level, with the rows above it locked. Raises NotFound, Unauthenticated, PermissionDenied."""
    return await _locked(site, actor, level, RELEASE, uuid, "release with this id")


async def _locked(site: Site, actor: Actor, level: Level, statement: str, uuid: str, what: str) -> Row:
    """Judged before anything is locked, so that nobody holds up a package by naming it, and again as it is then."""
    row = _judged(site, actor, level, await fetch_one(statement, uuid), what, needs=API_WRITE)
    await _lock([row])
    return _judged(site, await confirmed(actor), level, await fetch_one(statement, uuid), what, needs=API_WRITE)


def _uuid(row: Row) -> str:
    return str(row["uuid"])


def _check_number(wanted: Mapping[Any, str]) -> None:
    if not wanted:
        raise ValidationError("Name at least one file.")
    if len(wanted) > MOST_FILES:
        raise ValidationError(f"Name {MOST_FILES:,} files at most; these are {len(wanted):,}.")


def _address(row: Row) -> Address:
    return Address(row["namespace"].lower(), row["type"], row["path"])


def _by_ids(ids: Sequence[str]) -> tuple[str, Sequence[Any]]:
    return f"SELECT namespace_id, package_id, id FROM file WHERE uuid IN ({marks(ids)})", ids


def _by_addresses(addresses: Sequence[Address]) -> tuple[str, Sequence[Any]]:
    values = [value for one in addresses for value in one]
    return (
        f"""SELECT file.namespace_id, file.package_id, file.id FROM (VALUES {rows_of(len(addresses), 3)}) AS wanted
        JOIN namespace ON namespace.name_key = column1
        JOIN file ON file.namespace_id = namespace.id AND file.type = column2 AND file.path = column3""",
        values,
    )


async def _named(
    site: Site, actor: Actor, level: Level, wanted: dict[Any, str], statement: str, values: Sequence[Any], key: Callable[[Row], object]
) -> Selected:
    """The files that were named, by what names them; `wanted` says how to speak of each."""
    _check_number(wanted)
    ids = [row["id"] for row in await fetch(statement, *values)]
    seen = {key(row): row for row in await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.id IN ({marks(ids)})", *ids)}
    allowed, refused = _sorted_out(site, actor, level, wanted, seen)  # before anything is locked: nobody holds up the files of others by naming them
    await _lock(list(allowed.values()))
    ids = [row["id"] for row in allowed.values()]
    held = {key(row): row for row in await _rows(f"file.id IN ({marks(ids)})", *ids)}
    still, gone = _sorted_out(site, await confirmed(actor), level, {one: wanted[one] for one in allowed}, held)
    return Selected(sorted(still.values(), key=lambda row: int(row["id"])), (*refused, *gone))


def _sorted_out(site: Site, actor: Actor, level: Level, wanted: Mapping[Any, str], rows: Mapping[Any, Row]) -> tuple[dict[Any, Row], list[Refused]]:
    """Those that may be changed, and why the others may not."""
    allowed: dict[Any, Row] = {}
    refused: list[Refused] = []
    for one, name in wanted.items():
        row = rows.get(one)
        type = row["type"] if row else ""
        try:
            needs = (f"{type}:upload", "api:write")
            allowed[one] = _judged(site, actor, level, row, f"file {name}", needs=needs, reads=(f"{type}:download", "api:read"))
        except EntrepotError as error:
            refused.append(Refused(name, error))
    return allowed, refused


async def _rows(where: str, *values: Any) -> Sequence[Row]:
    """The files for which a condition on `file` holds, locked."""
    await fetch(f"SELECT file.id FROM file WHERE {where} ORDER BY file.id {{lock}}", *values)
    return await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE {where} ORDER BY file.id", *values)


async def _lock(rows: Sequence[Row]) -> None:
    """Lock the namespaces (in share) and packages of rows, each in the order of their ids."""
    namespaces, packages = ({row[key] for row in rows} for key in ("namespace_id", "package_id"))
    await _share(namespaces)
    held = await fetch(f"SELECT id, namespace_id FROM package WHERE id IN ({marks([*packages])}) ORDER BY id {{lock}}", *sorted(packages))
    # a package that was transferred while this waited is in another one now, and stays there
    await _share({row["namespace_id"] for row in held} - namespaces)


async def _share(namespaces: AbstractSet[int]) -> None:
    if namespaces:
        ids = sorted(namespaces)
        await fetch(f"SELECT id FROM namespace WHERE id IN ({marks(ids)}) ORDER BY id {{share}}", *ids)


def _judged(site: Site, actor: Actor, level: Level, row: Row | None, what: str, *, needs: tuple[str, ...], reads: tuple[str, ...] = API_READ) -> Row:
    """The row, if the actor has the level on its package. Raises NotFound for what the actor may not see, Unauthenticated, PermissionDenied."""
    if row is None:
        raise not_found(what)
    on = On.package_of(row)
    if not sees(site, actor, on, needs=(*needs, *reads)):
        raise not_found(what)
    require(site, actor, level, on, needs=needs, reads=reads)
    return row
