"""Publishing: the one transaction that makes an inspected and stored file exist."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from tortoise.exceptions import IntegrityError

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, rows_of, transact
from entrepot.errors import Conflict, NotFound, Unavailable
from entrepot.inspection import StoredExtra, StoredFile
from entrepot.services import admission, audit, bindings, blobs, dating, entries, files, heads
from entrepot.services.credentials import confirmed
from entrepot.services.drafts import Draft, PublishedFile
from entrepot.services.grants import Level
from entrepot.services.labels import label_ids
from entrepot.services.notices import file_event, tell_of_files
from entrepot.services.permissions import On, given, require, require_scope, sees
from entrepot.services.releases import release_id
from entrepot.services.removals import Removal, remove_rows
from entrepot.services.selections import Address, FileSelection, selected
from entrepot.services.strictness import check_admission, strictness_of

if TYPE_CHECKING:
    from entrepot.packagetype import PackageType
    from entrepot.site import Site

TRIES = 4
"""How often a publication is tried that meets another one of the same package, path or name."""


async def check_writer(site: Site, draft: Draft) -> None:
    """Let pass who may write to the package that the draft goes to or, where there is none yet, create one.

    A package that the actor may not see is answered as one that is not there. Raises Unauthenticated, PermissionDenied.
    """
    actor, namespace = draft.actor, On(draft.namespace.id, draft.namespace.name)
    needs = (f"{draft.type}:upload", "api:write")
    if given(actor, namespace_id=namespace.namespace_id, package_id=None) >= Level.WRITE:
        require_scope(actor, *needs)  # and so to each of its packages, whichever it is
        return
    row = await fetch_one(
        """SELECT package.id AS package_id, package.name AS package, package.private FROM package WHERE package.id = coalesce(
            (SELECT package_id FROM binding WHERE namespace_id = $1 AND type = $2 AND name = $3),
            (SELECT id FROM package WHERE namespace_id = $1 AND name_key = $4))""",
        namespace.namespace_id,
        draft.type,
        draft.canonical_name,
        draft.name.lower(),
    )
    if row is not None:
        on = replace(namespace, package_id=row["package_id"], package=row["package"], private=bool(row["private"]))
        reads = (f"{draft.type}:download", "api:read")
        if sees(site, actor, on, needs=(*needs, *reads)):
            require(site, actor, Level.WRITE, on, needs=needs, reads=reads)
            return
    require(site, actor, Level.WRITE, namespace, needs=needs)


async def find_same(draft: Draft) -> PublishedFile | None:
    """The published file, if it is these bytes already: under the draft's path, or under any version if nobody said one.

    Raises Conflict if the path holds other bytes and the draft can neither give way nor replace them.
    """
    row = await dating.newest_of_same_bytes(draft) if draft.unversioned else None
    if row is None and not draft.dated:
        row = await fetch_one(
            f"SELECT {files.COLUMNS} FROM {files.TABLES} WHERE file.namespace_id = $1 AND file.type = $2 AND file.path = $3",
            draft.namespace.id,
            draft.type,
            draft.path,
        )
    if row is None:
        return None
    if row["sha256"] != draft.sha256:
        if draft.replaces:
            return None
        raise Conflict(
            f"File already exists: {draft.path} is in {draft.namespace.name} with other bytes (sha256 {row['sha256'][:12]}…). "
            "Raise the version or build number."
        )
    bindings.refuse_other_visibility(draft, row["package"], bool(row["private"]))
    [file] = await files.stored_files([row])
    return published(draft.package_type, file, id=row["uuid"], labels=await files.labels_of(row["id"]), created=False)


async def foresee(draft: Draft) -> PublishedFile | None:
    """What publishing would meet, without changing anything: the published file, if it is these bytes already. Raises Conflict."""
    same = await find_same(draft)
    if same is not None:
        return same
    namespace = await fetch_one('SELECT "replace" FROM namespace WHERE id = $1', draft.namespace.id)
    if namespace is not None and namespace["replace"] == "never":
        await _refuse_burnt_path(draft)
    package = await fetch_one("SELECT name, private FROM package WHERE namespace_id = $1 AND name_key = $2", draft.namespace.id, draft.name.lower())
    if package is not None:
        bindings.refuse_other_visibility(draft, package["name"], bool(package["private"]))
    return None


def published(package_type: PackageType, file: StoredFile, *, id: str, labels: Sequence[str], created: bool) -> PublishedFile:
    """A file as an upload answers it."""
    return PublishedFile(
        id=id,
        namespace=file.namespace,
        package=file.package,
        version=file.version,
        type=package_type.name,
        path=file.path,
        basename=file.basename,
        size=file.size,
        sha256=file.sha256,
        labels=labels,
        url=f"/{package_type.name}/{quote(file.namespace)}/{package_type.location(file)}",
        created=created,
    )


Step = Callable[[], Coroutine[Any, Any, None]]
"""A part of a transaction: awaits nothing but the database, and may be run again when the transaction is."""


async def publish(site: Site, draft: Draft, claim: blobs.Claim, first: Step | None = None) -> PublishedFile:
    """Make the file exist, in one transaction that begins with `first`. Its bytes, which were claimed, are in storage.

    Raises Conflict, PermissionDenied, Unavailable, and what `first` raises; then nothing changed.
    """

    async def write() -> tuple[PublishedFile, Removal]:
        if first is not None:
            await first()
        return await _write(site, draft, claim)

    for left in reversed(range(TRIES)):
        try:
            result, removed = await transact(write)
        except IntegrityError as error:  # on PostgreSQL two first uploads of one path or package may meet here; the second try sees the first's
            if not left:
                raise Unavailable("Another upload of the same package got in the way. Try again.") from error
        else:
            break
    tell_of_files(site, "file_removed", removed.events)
    if result.created:
        tell_of_files(site, "file_published", [file_event(_event_fields(result), result.labels, draft.actor)])
    return result


def _event_fields(file: PublishedFile) -> dict[str, str]:
    return {name: getattr(file, name) for name in ("namespace", "package", "type", "version", "path", "sha256")}


async def _write(site: Site, draft: Draft, claim: blobs.Claim) -> tuple[PublishedFile, Removal]:
    """The file, and what was removed for it."""
    namespace = await fetch_one("SELECT replace, default_visibility, strictness FROM namespace WHERE id = $1 {share}", draft.namespace.id)
    locked = await bindings.lock_packages(draft)
    draft = replace(draft, actor=await confirmed(draft.actor))
    await check_writer(site, draft)
    never = namespace is not None and namespace["replace"] == "never"
    if never:
        draft = replace(draft, replaces=False)
    same_path = "SELECT id FROM file WHERE namespace_id = $1 AND type = $2 AND path = $3"
    if draft.unversioned or await fetch_one(same_path, draft.namespace.id, draft.type, draft.path):
        same = await find_same(draft)
        if same is not None:
            return same, Removal((), ())
    if draft.dated:
        draft = await dating.with_free_version(draft)
    if namespace is None:
        raise NotFound(f"There is no namespace {draft.namespace.name} any more.")
    if never:
        await _refuse_burnt_path(draft)
    removed = await _remove_replaced(site, draft, locked) if draft.replaces else Removal((), ())
    at = now()
    binding = await bindings.binding_of(site, draft, locked, at, private=namespace["default_visibility"] == "private")
    release = await release_id(
        draft.package_type, package_id=binding["package_id"], version=draft.version, canonical_version=draft.canonical_version, at=at
    )
    labels = await label_ids(draft.actor, namespace_id=draft.namespace.id, names=draft.labels)
    file = _stored(draft, binding, at)
    siblings = (await admission.siblings_in(draft.package_type, [release]))[release]
    strictness = draft.strictness or strictness_of(namespace["strictness"])
    forgiven = check_admission(draft.package_type.admit(file, siblings), strictness)
    uuid = new_uuid()
    file_id = await _insert_file(draft, uuid, binding, release, at)
    await _insert_extras(draft, file_id)
    values = [value for label_id in labels.values() for value in (file_id, label_id)]
    await execute(f"INSERT INTO file_label (file_id, label_id) VALUES {rows_of(len(labels), 2)}", *values)
    made = draft.package_type.entries(file)
    await entries.insert_entries(
        made,
        file_id=file_id,
        namespace_id=draft.namespace.id,
        package_id=binding["package_id"],
        type=draft.type,
        part=draft.canonical_name,
        path=draft.path,
    )
    await blobs.stored(claim)
    await audit.record(
        actor=draft.actor,
        action="file.publish",
        subject=f"{draft.namespace.name}/{draft.type}/{draft.path}",
        namespace_id=draft.namespace.id,
        details={"sha256": draft.sha256, "labels": list(draft.labels)},
    )
    shown = (
        heads.Touched(draft.namespace.id, draft.type, label, entry.document, draft.canonical_name)
        for label in draft.labels
        for entry in made
        if entry.representations
    )
    await heads.bump([*removed.touched, *shown])
    return replace(published(draft.package_type, file, id=uuid, labels=sorted(labels), created=True), forgiven=forgiven), removed


async def _remove_replaced(site: Site, draft: Draft, locked: set[int]) -> Removal:
    """Remove the file of other bytes that has the draft's path, if there is one.

    Raises what the removal of a file raises: who may upload may remove, but for files with a locked label. Raises IntegrityError where the file
    came to be after the locks were taken: another forced upload may be replacing it too.
    """
    address = Address(draft.namespace.name, draft.type, draft.path)
    there = "SELECT package_id FROM file WHERE namespace_id = $1 AND type = $2 AND path = $3"
    file = await fetch_one(there, draft.namespace.id, draft.type, draft.path)
    if file is None:
        return Removal((), ())
    bindings.require_locked(file["package_id"], locked)
    rows = (await selected(site, draft.actor, FileSelection(addresses=[address]))).or_raise()
    removal = await remove_rows(draft.actor, rows)
    await audit.record(
        actor=draft.actor, action="file.remove", subject=f"{draft.namespace.name}/{draft.type}/{draft.path}", namespace_id=draft.namespace.id
    )
    return removal


async def _refuse_burnt_path(draft: Draft) -> None:
    burnt = await fetch_one(
        "SELECT sha256 FROM tombstone WHERE namespace_id = $1 AND type = $2 AND path = $3 AND sha256 <> $4",
        draft.namespace.id,
        draft.type,
        draft.path,
        draft.sha256,
    )
    if burnt is not None:
        raise Conflict(
            f"{draft.path} was removed from {draft.namespace.name}, which never takes other bytes under a path it has used. "
            "Raise the version or build number."
        )


def _stored(draft: Draft, binding: Row, at: int) -> StoredFile:
    return StoredFile(
        namespace=draft.namespace.name,
        package=binding["package"],
        name=draft.canonical_name,
        version=draft.version,
        path=draft.path,
        basename=draft.basename,
        size=draft.size,
        sha256=draft.sha256,
        md5=draft.md5,
        blake2b=draft.blake2b,
        uploaded_at=at,
        attributes=draft.inspection.attributes,
        state={},
        package_state=orjson.loads(binding["state"]),
        extras={extra.name: StoredExtra(sha256=extra.sha256, size=len(extra.body), media_type=extra.media_type) for extra in draft.extras},
        summary=draft.inspection.summary,
    )


async def _insert_file(draft: Draft, uuid: str, binding: Row, release_id: int, at: int) -> int:
    columns = {
        "uuid": uuid,
        "namespace_id": draft.namespace.id,
        "package_id": binding["package_id"],
        "release_id": release_id,
        "binding_id": binding["id"],
        "type": draft.type,
        "version": draft.version,
        "path": draft.path,
        "basename": draft.basename,
        "platform": draft.inspection.platform,
        "summary": draft.inspection.summary,
        "license": draft.inspection.license,
        "size": draft.size,
        "sha256": draft.sha256,
        "md5": draft.md5,
        "blake2b": draft.blake2b,
        "attributes": orjson.dumps(draft.inspection.attributes).decode(),
        "state": "{}",
        "entry_version": draft.package_type.entry_version,
        "uploaded_by_id": draft.actor.namespace_id,
        "uploaded_at": at,
    }
    [row] = await fetch(f"INSERT INTO file ({', '.join(columns)}) VALUES {rows_of(1, len(columns))} RETURNING id", *columns.values())
    return int(row["id"])


async def _insert_extras(draft: Draft, file_id: int) -> None:
    if draft.extras:
        values = [value for extra in draft.extras for value in (file_id, extra.name, extra.sha256, len(extra.body), extra.media_type)]
        await execute(f"INSERT INTO extra (file_id, name, sha256, size, media_type) VALUES {rows_of(len(draft.extras), 5)}", *values)
