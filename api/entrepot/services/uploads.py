"""Taking a file in: authorize, receive, inspect, store the bytes, then publish in one transaction (`publishing.py`)."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from entrepot.cancellation import to_the_end
from entrepot.clock import now
from entrepot.db.sql import transact
from entrepot.errors import BadRequest, DigestMismatch, EntrepotError, TooLarge, ValidationError
from entrepot.hooks import Upload
from entrepot.metrics import UPLOADS
from entrepot.services import blobs, dating, publishing
from entrepot.services.drafts import Draft, PublishedFile
from entrepot.services.labels import label_names
from entrepot.services.permissions import require_scope, require_upload
from entrepot.services.strictness import check_objections, strictness_of

if TYPE_CHECKING:
    from entrepot.db.lookup import NamespaceRow
    from entrepot.inspection import Extra, Inspection, Strictness
    from entrepot.packagetype import PackageType
    from entrepot.services.actors import Actor
    from entrepot.site import Site
    from entrepot.storage import Spool, Storage

__all__ = ["IncomingUpload", "PublishedFile", "check_basename", "incoming"]

T = TypeVar("T")
LONGEST = {"name": 255, "version": 255, "path": 512, "platform": 64}
"""In characters: what the tables hold."""


def check_basename(basename: str) -> None:
    """Refuse what cannot be a file's name. Raises BadRequest."""
    if not basename or basename in (".", ".."):
        raise BadRequest("The file needs a name: put its basename at the end of the URL.")
    if len(basename) > 255:
        raise BadRequest(f"The file's name has {len(basename)} characters; 255 is the most.")
    if not basename.isascii() or not basename.isprintable():
        raise BadRequest("The file's name may hold printable ASCII characters only: no control characters, no look-alikes of letters.")
    if "/" in basename or "\\" in basename:
        raise BadRequest("The file's name may hold no slash: send the basename alone.")


@dataclass(slots=True)
class _Received:
    """What a thread found out about the spooled bytes."""

    package_type: PackageType
    inspection: Inspection


class IncomingUpload:
    """An upload that is being received: `write` the bytes as they come, then `publish` once."""

    def __init__(self, site: Site, actor: Actor, namespace: NamespaceRow, spool: Spool) -> None:
        self._site = site
        self._actor = actor
        self._namespace = namespace
        self._spool = spool
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self.size = 0
        """The bytes received so far."""
        self.type = ""
        """The name of the package type, as soon as it is known."""

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge, Unavailable."""
        self.size += len(chunk)
        if self.size > self._site.settings.max_upload:
            raise too_large(self._site)
        self._gathered.append(chunk)
        self._gathered_size += len(chunk)
        if self._gathered_size > self._site.settings.spool_memory:
            await _in_thread(self._spill)

    def _spill(self) -> None:
        gathered, self._gathered, self._gathered_size = self._gathered, [], 0
        for chunk in gathered:
            self._spool.write(chunk)

    async def publish(
        self,
        *,
        basename: str,
        type: str | None = None,
        package: str | None = None,
        version: str | None = None,
        labels: Sequence[str] = (),
        private: bool | None = None,
        digests: Mapping[str, str] | None = None,
        replaces: bool = False,
        extras: Sequence[Extra] = (),
    ) -> PublishedFile:
        """Check what was received and publish it: `prepare`, then `publish_prepared`. Raises what they raise; then nothing was published.

        With `replaces` a file of other bytes under the same path is removed in the same transaction, which takes what removing it takes.
        `extras` are kept with the file beside those that inspection finds in it (and have other names); a file that is there already keeps its own.
        """
        draft = await self.prepare(basename=basename, type=type, package=package, version=version, labels=labels, private=private, digests=digests)
        return await self.publish_prepared(replace(draft, replaces=replaces, more_extras=extras))

    async def prepare(
        self,
        *,
        basename: str,
        type: str | None = None,
        package: str | None = None,
        version: str | None = None,
        labels: Sequence[str] = (),
        private: bool | None = None,
        digests: Mapping[str, str] | None = None,
        strictness: Strictness | None = None,
    ) -> Draft:
        """Check what was received, and store nothing. `digests` are the hex digests that the client declared (sha256, md5, blake2b).

        `strictness` is the namespace's where it is None.

        Raises BadRequest, ValidationError, InvalidPackage, PermissionDenied, Unavailable.
        """
        check_basename(basename)
        wanted_labels = label_names(labels)
        if not self.size:
            raise ValidationError(f"{basename} is empty. Was it built, and is the path right?")
        received = await _in_thread(self._inspect, basename, type, dict(digests or {}))
        check_objections(received.inspection, strictness or strictness_of(self._namespace.strictness))
        return replace(self._draft(received, basename, package, version, wanted_labels, private), strictness=strictness)

    async def publish_prepared(self, draft: Draft, *, first: publishing.Step | None = None) -> PublishedFile:
        """Publish what was prepared, in a transaction that begins with `first`; that alone is run where the file is there already.

        Raises Conflict, PermissionDenied, Unavailable, and what `first` raises; then nothing was published.
        """
        await publishing.check_writer(self._site, draft)  # before anything is stored, and again when it is published
        if draft.unversioned or await self._site.lookup.file(self._namespace.name.lower(), draft.type, draft.path) is not None:
            unchanged = await publishing.find_same(draft)
            if unchanged is not None:
                if await _in_storage_thread(self._site.storage, partial(self._site.storage.size, draft.sha256)) != draft.size:
                    await self._store(draft)  # the bytes were lost: the upload brings them back
                if first is not None:
                    await transact(first)
                UPLOADS.add(draft.type, "unchanged")
                return unchanged
        claim = await self._store(draft)
        published = await publishing.publish(self._site, draft, claim, first)
        UPLOADS.add(draft.type, "created" if published.created else "unchanged")
        return published

    async def keep(self, note: Callable[[str, int], Coroutine[Any, Any, None]]) -> None:
        """Keep what was received and publish nothing yet. `note`, which is told the sha256 and the size, writes down in the same transaction who
        needs the bytes; what it writes must count for garbage collection.

        Raises ValidationError for an empty file, Unavailable, and what `note` raises; then nothing was kept.
        """
        if not self.size:
            raise ValidationError("The file is empty. Was it built, and is the path right?")
        await _in_thread(self._spill)
        storage, sha256 = self._site.storage, self._spool.sha256
        claim = await blobs.claim([(sha256, self.size)])

        def put() -> None:
            if sha256 in claim.missing or storage.size(sha256) != self.size:
                storage.put(self._spool)

        await _in_storage_thread(storage, put)

        async def write() -> None:
            await blobs.stored(claim)
            await note(sha256, self.size)

        await transact(write)

    def _inspect(self, basename: str, type: str | None, digests: Mapping[str, str]) -> _Received:
        self._spill()
        found = {"sha256": self._spool.sha256, "md5": self._spool.md5, "blake2b": self._spool.blake2b}
        for name, declared in digests.items():
            if not hmac.compare_digest(declared.lower().encode(), found[name].encode()):
                raise DigestMismatch(
                    f"The {name} digest of what arrived is {found[name]}, not the {declared[:140]} that was declared. Send the file again."
                )
        with self._spool.open() as file:
            package_type = self._site.registry.detect(file, basename, type)
            self.type = package_type.name
            file.seek(0)
            return _Received(package_type, package_type.inspect(file, basename))

    def _draft(
        self, received: _Received, basename: str, package: str | None, version: str | None, labels: Sequence[str], private: bool | None
    ) -> Draft:
        package_type, inspection = received.package_type, received.inspection
        require_scope(self._actor, f"{package_type.name}:upload", "api:write")
        name = _agreed_name(inspection, package)
        agreed_version = _agreed_version(package_type, inspection, version)
        unversioned = version is None and not inspection.versions_itself
        dated = unversioned and not agreed_version
        if dated:
            agreed_version = dating.stamp(now())
        inspection = replace(inspection, name=name, version=agreed_version)
        draft = Draft(
            actor=self._actor,
            namespace=self._namespace,
            package_type=package_type,
            inspection=inspection,
            name=name,
            canonical_name=package_type.canonical_name(name),
            version=agreed_version,
            canonical_version=package_type.canonical_version(agreed_version),
            path=package_type.path(inspection, basename),
            basename=basename,
            size=self.size,
            sha256=self._spool.sha256,
            md5=self._spool.md5,
            blake2b=self._spool.blake2b,
            labels=labels,
            private=private,
            unversioned=unversioned,
            dated=dated,
        )
        _check_texts(draft)
        self._site.registry.validate_upload(
            Upload(
                namespace=self._namespace.name,
                type=package_type.name,
                basename=basename,
                path=draft.path,
                size=draft.size,
                sha256=draft.sha256,
                labels=labels,
                actor=self._actor.name,
                inspection=inspection,
            )
        )
        return draft

    async def _store(self, draft: Draft) -> blobs.Claim:
        bodies = {extra.sha256: extra.body for extra in draft.extras}
        wanted = [(draft.sha256, draft.size), *((sha256, len(body)) for sha256, body in bodies.items())]
        claim = await blobs.claim(wanted)

        storage = self._site.storage

        def put() -> None:
            if draft.sha256 in claim.missing or storage.size(draft.sha256) != draft.size:
                storage.put(self._spool)

        def put_extra(sha256: str, body: bytes) -> None:
            if sha256 in claim.missing or storage.size(sha256) != len(body):
                storage.put_bytes(sha256, body)

        # each put waits for the disk several times; the disk takes them together
        work: list[Callable[[], None]] = [put, *(partial(put_extra, *extra) for extra in bodies.items())]
        done = await asyncio.gather(*(_in_storage_thread(storage, one) for one in work), return_exceptions=True)
        for one in done:
            if isinstance(one, BaseException):
                raise one
        return claim


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Run in a thread, and wait for its end also when cancelled: the spool must not be discarded under a thread that writes to it."""
    return await to_the_end(asyncio.to_thread(work, *arguments))


async def _in_storage_thread(storage: Storage, work: Callable[[], T]) -> T:
    """As `_in_thread`, in a thread that may wait for the storage."""
    return await to_the_end(asyncio.get_running_loop().run_in_executor(storage.threads, copy_context().run, work))


def too_large(site: Site) -> TooLarge:
    """The answer to a body over the limit."""
    return TooLarge(f"The file is larger than the {site.settings.max_upload} bytes that this server takes (setting max_upload).")


def _agreed_name(inspection: Inspection, package: str | None) -> str:
    if package is None:
        return inspection.name
    if not inspection.names_itself:
        return package

    def folded(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    if folded(package) != folded(inspection.name):
        raise ValidationError(
            f"The file says that it is {inspection.name}, the request says {package[:140]}. A file goes to the package that it names."
        )
    return inspection.name


def _check_texts(draft: Draft) -> None:
    """Refuse what no table or URL can hold, whatever the type thinks of it."""
    inspection = draft.inspection
    identity = {"name": draft.name, "version": draft.version, "path": draft.path, "platform": inspection.platform}
    for what, text in identity.items():
        if len(text) > LONGEST[what]:
            raise ValidationError(f"The {what} of this package has {len(text)} characters; {LONGEST[what]} is the most.")
        if not text.isprintable():
            raise ValidationError(f"The {what} of this package, {text[:140]!r}, holds characters that cannot be printed.")
    for text in (inspection.summary, inspection.description, inspection.license):
        if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
            raise ValidationError("The summary, description or license of this package holds characters that are no text (NUL or half of a pair).")


def _agreed_version(package_type: PackageType, inspection: Inspection, version: str | None) -> str:
    if version is None:
        return inspection.version
    if not inspection.versions_itself:
        return version
    if package_type.canonical_version(version) != package_type.canonical_version(inspection.version):
        raise ValidationError(f"The file says that it is version {inspection.version}, the request says {version[:140]}.")
    return inspection.version


@asynccontextmanager
async def incoming(site: Site, *, actor: Actor, namespace: str, type: str | None, declared_size: int | None) -> AsyncIterator[IncomingUpload]:
    """Authorize an upload, then receive it; see `Services.upload`."""
    owner = require_upload(site, actor, namespace, await site.lookup.namespace(namespace.lower()), type=type)
    if type is not None:
        site.registry.type_named(type)
    if declared_size is not None and declared_size > site.settings.max_upload:
        raise too_large(site)
    spool = site.storage.spool()
    upload = IncomingUpload(site, actor, owner, spool)
    try:
        yield upload
    except BaseException as error:  # an upload that was cut off is counted too
        UPLOADS.add(upload.type or "unknown", _result(error))
        raise
    finally:
        spool.discard()


def _result(error: BaseException) -> str:
    """What became of an upload that ended in an error, for the metrics."""
    if isinstance(error, EntrepotError) and error.status < 500:
        return "refused"
    return "failed" if isinstance(error, Exception) else "broken off"
