"""Staged uploads: an upload is announced by who may upload, and its bytes are sent by whoever holds its one-time secret.

    announce ──▶ receive and finish at once      the address that `createUpload` hands out
             └─▶ receive ──▶ finish              bytes first, the commit later

What is fixed when it is announced (namespace, basename, package, type, version, labels, visibility, and if the announcer says so size and digest)
cannot be changed by who sends the bytes. The secret works for an hour at most, once, and only as long as the token that made it does and its owner
may still write there. It is stored as a digest, and stands in no log: see `redaction.py`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, transaction
from entrepot.errors import BadRequest, Conflict, NotFound, Unauthenticated, ValidationError
from entrepot.services import audit
from entrepot.services.actors import Actor
from entrepot.services.credentials import confirmed
from entrepot.services.labels import label_names
from entrepot.services.permissions import require_upload
from entrepot.services.tokens import digest_of, new_secret
from entrepot.services.uploads import IncomingUpload, check_basename, incoming, too_large

if TYPE_CHECKING:
    from entrepot.services.drafts import PublishedFile
    from entrepot.site import Site

LIFETIME = 3_600_000
KEPT = 86_400_000
"""How long the row of an upload stays after its end, so that a late sender is told what happened."""
DEAD = "This address takes no upload: it is not known here, or has expired, or the token that made it is no longer valid. Ask for a new one."
USED = "This address has been used: it takes one upload. Ask for a new one to upload again."

BY_DIGEST = """SELECT staged.id, staged.uuid, staged.creator_id, staged.token_id, staged.session_id, staged.basename, staged.parameters,
        staged.sha256, staged.size, staged.expires_at, staged.finished_at, namespace.name AS namespace, token.scopes,
        token.package_id
    FROM staged_upload AS staged JOIN namespace ON namespace.id = staged.namespace_id LEFT JOIN token ON token.id = staged.token_id
    WHERE staged.digest = $1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is fixed about an upload before its bytes come."""

    package: str
    type: str | None = None
    version: str | None = None
    labels: Sequence[str] = ()
    private: bool | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An upload that was announced. Its secret can be shown this once."""

    id: str
    secret: str
    expires_at: int


async def announce(site: Site, *, actor: Actor, namespace: str, basename: str, terms: Terms) -> Announced:
    """Announce an upload. Raises what an upload raises that would be refused before its bytes are read."""
    owner = require_upload(site, actor, namespace, await site.lookup.namespace(namespace.lower()), type=terms.type)
    check_basename(basename)
    terms = _checked(site, terms)
    secret, uuid, at = new_secret(), new_uuid(), now()
    async with transaction():
        await confirmed(actor)
        expires_at = min(at + LIFETIME, await _end_of_token(actor))
        await execute(
            """INSERT INTO staged_upload (uuid, digest, namespace_id, creator_id, token_id, session_id, basename, parameters, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
            uuid,
            digest_of(secret),
            owner.id,
            actor.namespace_id,
            actor.token_id,
            actor.session_id,
            basename,
            orjson.dumps(asdict(terms)).decode(),
            at,
            expires_at,
        )
        details = {"package": terms.package, "expires_at": expires_at}
        await audit.record(actor=actor, action="upload.create", subject=f"{owner.name}/{basename}", namespace_id=owner.id, details=details)
    return Announced(id=uuid, secret=secret, expires_at=expires_at)


class Reception:
    """The bytes of a staged upload as they come: `write` them, then `publish` at once, or `keep` them for `finish`."""

    def __init__(self, site: Site, row: Row, terms: Terms, upload: IncomingUpload) -> None:
        self._site = site
        self._row = row
        self._terms = terms
        self._upload = upload

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge, ValidationError for more than were announced, Unavailable."""
        await self._upload.write(chunk)
        if self._terms.size is not None and self._upload.size > self._terms.size:
            raise _other_size(self._terms.size)

    async def publish(self) -> PublishedFile:
        """Publish what was received, and finish the upload in the same transaction. Raises what `IncomingUpload.publish` raises, and Conflict."""
        terms = self._terms
        if terms.size is not None and self._upload.size != terms.size:
            raise _other_size(terms.size)
        draft = await self._upload.prepare(
            basename=self._row["basename"],
            type=terms.type,
            package=terms.package,
            version=terms.version,
            labels=terms.labels,
            private=terms.private,
            digests={"sha256": terms.sha256} if terms.sha256 else None,
        )
        return await self._upload.publish_prepared(draft, first=self._finish)

    async def keep(self) -> None:
        """Keep what was received until `finish`; bytes that were kept before are replaced. Raises what `IncomingUpload.keep` raises, and Conflict."""
        if self._terms.size is not None and self._upload.size != self._terms.size:
            raise _other_size(self._terms.size)

        async def note(sha256: str, size: int) -> None:
            if self._terms.sha256 not in (None, sha256):
                raise ValidationError(f"The sha256 digest of what arrived is {sha256}, not the {self._terms.sha256} that was announced.")
            await self._still_open()
            await execute("UPDATE staged_upload SET sha256 = $1, size = $2 WHERE id = $3", sha256, size, self._row["id"])

        await self._upload.keep(note)

    async def _finish(self) -> None:
        await self._still_open()
        await execute("UPDATE staged_upload SET finished_at = $1 WHERE id = $2", now(), self._row["id"])

    async def _still_open(self) -> None:
        """Whether nobody else has finished it, and nobody has taken its right away, while the bytes came. Locks it."""
        open = await fetch_one("SELECT id FROM staged_upload WHERE id = $1 {lock}", self._row["id"])
        row = await fetch_one(BY_DIGEST.replace("staged.digest = $1", "staged.id = $1"), self._row["id"]) if open else None
        _require_alive(row, at=self._row["expires_at"] - 1)  # bytes that began to come in time are in time
        await _creator(self._row, "")


@asynccontextmanager
async def receiving(site: Site, *, secret: str, address: str = "", declared_size: int | None = None) -> AsyncIterator[Reception]:
    """Receive the bytes of a staged upload. Everything is judged before the first of them is read: the secret, and whether who made it may still
    write there. A reception that fails leaves nothing, and the secret may be tried again.

    Raises NotFound for a secret that opens nothing, Conflict for one that was used, and what `uploads.incoming` raises.
    """
    row = _require_alive(await fetch_one(BY_DIGEST, digest_of(secret)), at=now())
    terms = Terms(**orjson.loads(row["parameters"]))
    if declared_size is not None and terms.size is not None and declared_size != terms.size:
        raise _other_size(terms.size)
    creator = await _creator(row, address)
    async with incoming(site, actor=creator, namespace=row["namespace"], type=terms.type, declared_size=declared_size) as upload:
        yield Reception(site, row, terms, upload)


async def finish(site: Site, *, secret: str, address: str = "") -> PublishedFile:
    """Publish the bytes that were kept for a staged upload. Raises what `receiving` and `Reception.publish` raise, Conflict where none were kept."""
    async with receiving(site, secret=secret, address=address) as reception:
        kept = await fetch_one("SELECT sha256, size FROM staged_upload WHERE digest = $1", digest_of(secret))
        if kept is None or kept["sha256"] is None:
            raise Conflict("The bytes of this upload have not arrived yet: send them before you finish it.")
        async for chunk in site.storage.chunks(kept["sha256"], 0, kept["size"]):
            await reception.write(chunk)
        return await reception.publish()


async def expire(older_than: int | None = None, *, dry_run: bool = False) -> int:
    """Forget uploads that ended a day ago, or `older_than` milliseconds; answers how many. Bytes that were kept for them are collected later."""
    before = now() - (KEPT if older_than is None else older_than)
    if dry_run:
        return len(await fetch("SELECT id FROM staged_upload WHERE expires_at < $1", before))
    async with transaction():
        return await execute("DELETE FROM staged_upload WHERE expires_at < $1", before)


def _require_alive(row: Row | None, *, at: int) -> Row:
    if row is None or row["expires_at"] <= at:
        raise NotFound(DEAD)
    if row["finished_at"] is not None:
        raise Conflict(USED)
    return row


async def _creator(row: Row, address: str) -> Actor:
    """Who announced the upload, with the rights of today. Raises NotFound where the credential that was used has ended."""
    announcer = Actor(
        namespace_id=row["creator_id"],
        scopes=frozenset((row["scopes"] or "all").split()),
        token_id=row["token_id"],
        package_id=row["package_id"],
        session_id=row["session_id"],
        address=address,
    )
    try:
        return await confirmed(announcer)
    except Unauthenticated as error:
        raise NotFound(DEAD) from error


async def _end_of_token(actor: Actor) -> int:
    row = None if actor.token_id is None else await fetch_one("SELECT expires_at FROM token WHERE id = $1", actor.token_id)
    return now() + LIFETIME if row is None or row["expires_at"] is None else int(row["expires_at"])


def _checked(site: Site, terms: Terms) -> Terms:
    if terms.type is not None:
        site.registry.type_named(terms.type)
    for what in ("package", "version"):
        text: Any = getattr(terms, what)
        if text is not None and (not 1 <= len(text) <= 255 or not text.isprintable()):
            raise ValidationError(f"The {what} must have 1 to 255 printable characters.", field=what)
    if terms.sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", terms.sha256):
        raise ValidationError("A sha256 digest has 64 hexadecimal digits.", field="sha256")
    if terms.size is not None:
        if terms.size < 1:
            raise BadRequest("A file has at least one byte.")
        if terms.size > site.settings.max_upload:
            raise too_large(site)
    return Terms(**{**asdict(terms), "labels": label_names(terms.labels), "sha256": terms.sha256 and terms.sha256.lower()})


def _other_size(announced: int) -> ValidationError:
    return ValidationError(f"This upload was announced with {announced:,} bytes; send just these.")
