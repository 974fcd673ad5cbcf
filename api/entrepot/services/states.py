"""State of packages and files: what was said of them after the upload (yanked, dist-tags, project status), and the entries that follow from it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.clock import now
from entrepot.db.sql import Row, after_commit, execute, fetch, fetch_one, marks, transaction
from entrepot.errors import NotFound, ValidationError
from entrepot.hooks import PackageEvent
from entrepot.packagetype import PackageType
from entrepot.services import audit, entries, files, heads
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.permissions import API_READ, API_WRITE, On, not_found, require, sees

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Files that are restated between two looks at the event loop."""
BINDING = """SELECT binding.id, binding.namespace_id, binding.state, namespace.name AS namespace, package.id AS package_id, package.name AS package,
        package.private
    FROM binding JOIN namespace ON namespace.id = binding.namespace_id JOIN package ON package.id = binding.package_id
    WHERE namespace.name_key = $1 AND binding.type = $2 AND binding.name = $3"""


def merged(state: str, changes: Mapping[str, Any]) -> str:
    """A state with keys replaced; None removes one. Raises ValidationError for what JSON cannot hold."""
    try:
        return orjson.dumps({key: value for key, value in {**orjson.loads(state), **changes}.items() if value is not None}).decode()
    except TypeError as error:
        raise ValidationError(f"The state of a package or a file holds JSON values only: {error}.") from error


async def locked_binding(site: Site, actor: Actor, *, namespace: str, type: str, name: str, level: Level = Level.WRITE) -> Row:
    """The binding of a canonical name, its namespace and package locked, if the actor has the level. Raises NotFound and what permission raises."""
    what, needs = f"{type} package {name} in {namespace}", (f"{type}:upload", *API_WRITE)
    await fetch_one("SELECT id FROM namespace WHERE name_key = $1 {share}", namespace.lower())
    binding = await fetch_one(BINDING, namespace.lower(), type, name)
    if binding is None or not sees(site, actor, On.package_of(binding), needs=(*needs, *API_READ)):
        raise not_found(what)
    await fetch_one("SELECT id FROM package WHERE id = $1 {lock}", binding["package_id"])
    locked = await fetch_one(BINDING, namespace.lower(), type, name)
    if locked is None or locked["package_id"] != binding["package_id"]:  # the package was deleted before its row was to be had
        raise not_found(what)
    require(site, await confirmed(actor), level, On.package_of(locked), needs=needs)
    return locked


async def set_state(
    site: Site,
    *,
    actor: Actor,
    namespace: str,
    type: str,
    name: str,
    action: str,
    package_state: Mapping[str, Any] | None = None,
    file_states: Mapping[str, Mapping[str, Any]] | None = None,
    level: Level = Level.WRITE,
) -> None:
    """See `Services.set_state`."""
    package_type = site.registry.type_named(type)
    async with transaction():
        binding = await locked_binding(site, actor, namespace=namespace, type=type, name=name, level=level)
        if package_state is not None:
            await execute("UPDATE binding SET state = $1 WHERE id = $2", merged(binding["state"], package_state), binding["id"])
        await _set_file_states(binding, name, file_states or {})
        await execute("UPDATE package SET updated_at = $1 WHERE id = $2", now(), binding["package_id"])
        await audit.record(
            actor=actor,
            action=action,
            subject=f"{binding['namespace']}/{binding['package']}",
            namespace_id=binding["namespace_id"],
            details={"type": type, "name": name, "package": package_state, "files": file_states},
        )
        restated = list((file_states or {}).keys()) if package_state is None else None
        await restate_files(package_type, binding["id"], restated)
    event = PackageEvent(
        namespace=binding["namespace"], package=binding["package"], action=action, actor=actor.name, details={"type": type, "name": name}
    )
    after_commit(lambda: site.registry.notify("package_changed", event))


async def _set_file_states(binding: Row, name: str, file_states: Mapping[str, Mapping[str, Any]]) -> None:
    for path, changes in file_states.items():
        row = await fetch_one("SELECT id, state FROM file WHERE binding_id = $1 AND path = $2 {lock}", binding["id"], path)
        if row is None:
            raise NotFound(f"There is no file {path} in {name}.")
        await execute("UPDATE file SET state = $1 WHERE id = $2", merged(row["state"], changes), row["id"])


async def restate_files(package_type: PackageType, binding_id: int, paths: list[str] | None) -> None:
    """Restate the files of a binding (all, or those at the paths) and bump the heads of what changed. In the caller's transaction, at its end."""
    rows = await fetch(f"SELECT {files.COLUMNS} FROM {files.TABLES} WHERE file.binding_id = $1 ORDER BY file.id", binding_id)
    touched, _ = await restated(package_type, [row for row in rows if paths is None or row["path"] in paths])
    await heads.bump(touched)


async def restated(package_type: PackageType, chosen: Sequence[Row], *, lenient: bool = False) -> tuple[list[heads.Touched], int]:
    """Restate files, rows of `files.COLUMNS`; answers what the caller must bump at the end of its transaction, and how many were restated.

    `lenient`: a file that the type cannot restate keeps the entries it has.
    """
    touched: list[heads.Touched] = []
    count = 0
    for start in range(0, len(chosen), AT_ONCE):
        some = chosen[start : start + AT_ONCE]
        made = await _made(package_type, some, lenient=lenient)
        changed = await entries.restate(package_type, made)
        for row in some:
            if row["id"] in changed:
                touched += files.touched(row, await files.labels_of(row["id"]) or [heads.MAIN], sorted(changed[row["id"]]))
        count += len(made)
    return touched, count


async def _made(package_type: PackageType, rows: Sequence[Row], *, lenient: bool) -> list[entries.Made]:
    """The files with the entries that their type makes of them now; without those of which it makes none any more, if that is to be borne."""
    made: list[entries.Made] = []
    for row, file in zip(rows, await files.stored_files(rows), strict=True):
        try:
            made.append(entries.Made(row, package_type.entries(file)))
        except Exception:  # a plugin's code: whatever it raises
            if not lenient:
                raise
            log.exception("The type %s cannot make the entries of %s/%s; those it has stay.", package_type.name, row["namespace"], row["path"])
    return made


async def restate_package(site: Site, package_id: int) -> None:
    """Restate all files of a package whose namespace has changed: a type may have written its name into their entries.

    In the caller's transaction, which bumps the heads of all that shows the package. Of a type that is not loaded the entries stay as they are.
    """
    ids = [row["id"] for row in await fetch("SELECT id FROM file WHERE package_id = $1 ORDER BY id", package_id)]
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        rows = await fetch(f"SELECT {files.COLUMNS} FROM {files.TABLES} WHERE file.id IN ({marks(some)}) ORDER BY file.id", *some)
        for type in sorted({row["type"] for row in rows} & site.registry.types.keys()):
            package_type = site.registry.types[type]
            made = await _made(package_type, [row for row in rows if row["type"] == type], lenient=True)
            await entries.restate(package_type, made)


OUTDATED = f"""SELECT {files.COLUMNS} FROM {files.TABLES} WHERE file.type = $1 AND file.entry_version <> $2 AND file.id > $3
    ORDER BY file.id LIMIT 200"""


async def _lock_packages(ids: Iterable[int]) -> None:
    some = sorted(set(ids))
    await fetch(f"SELECT id FROM package WHERE id IN ({marks(some)}) ORDER BY id {{lock}}", *some)


async def restate_outdated(site: Site) -> int:
    """Restate, from the database, the files whose entries an older version of their type has made; answers how many.

    Several workers may do it at once: who comes second finds nothing left to change. A file that its type cannot restate any more does not keep
    the server from starting: it is logged, keeps its entries, and is tried again at the next start.
    """
    count = 0
    for package_type in site.registry.types.values():
        last = 0
        while rows := await fetch(OUTDATED, package_type.name, package_type.entry_version, last):
            last = rows[-1]["id"]
            async with transaction():
                await _lock_packages([row["package_id"] for row in rows])
                rows = await fetch(OUTDATED, package_type.name, package_type.entry_version, rows[0]["id"] - 1)
                touched, some = await restated(package_type, [row for row in rows if row["id"] <= last], lenient=True)
                await heads.bump(touched)
                count += some
    return count
