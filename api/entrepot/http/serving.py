"""Serving targets: from an index document, a part, a shard or a file to the content that answers, with permission checked on the way."""

from __future__ import annotations

import hashlib
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response

from entrepot.clock import now
from entrepot.errors import EntrepotError, NotFound
from entrepot.http.authentication import actor_of
from entrepot.http.conditions import accepted_encoding
from entrepot.http.contents import LOST, SENT_WHOLE, Answer, BlobContent, Content, HandedContent, Header, LinkedContent, PiecesContent
from entrepot.http.errors import problem
from entrepot.http.moved import MovedContent, new_location
from entrepot.http.newest import NewestContent
from entrepot.http.request import Facts
from entrepot.packagetype import PackageType
from entrepot.representations import DocumentRepresentation, PartRepresentation
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.cache import ByteCache
from entrepot.services.channelnotices import notices_of_namespaces, told
from entrepot.services.files import stored_file
from entrepot.services.heads import ensure_standing
from entrepot.services.indexes import Place
from entrepot.services.labels import MAIN
from entrepot.services.moved import moved_file
from entrepot.services.newest import newest_file
from entrepot.services.partstores import Audience
from entrepot.services.permissions import audience_of, not_found, reads_everything, reads_private, reads_some_private, require_read
from entrepot.storage.names import name_of
from entrepot.targets import (
    AddressedTarget,
    DocumentTarget,
    FileTarget,
    NewestTarget,
    NoticesTarget,
    PartTarget,
    RedirectTarget,
    RefusalTarget,
    Target,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from entrepot.db.lookup import FileRow, HeadRow
    from entrepot.services.renderings import Rendering
    from entrepot.site import Site

IMMUTABLE = "max-age=31536000, immutable"
IN_URLS = "/%!$&'()*+,;=:@~?"
SMALL_BLOB = 64 << 10
SMALL_BLOBS = 16 << 20
MOST_HIDDEN = 1000
LONGEST_AUDIENCE = 4000
"""In characters: of those who may read so many packages of a namespace, and not all, nobody asks first whether a document shows any."""
CONTENT_OVERHEAD = 4000
"""What the messages of a kept content cost beside its bytes, about."""


class Server:
    """Finds the content of a target."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._small: ByteCache[Content] = site.caches.setdefault("small files", ByteCache(min(SMALL_BLOBS, site.settings.cache)))
        self._documents = {(t.name, r.name): r for t in site.registry.types.values() for r in t.document_representations}
        self._parts = {(t.name, r.name): r for t in site.registry.types.values() for r in t.part_representations}
        self._hidden: dict[tuple[int, Audience, bool], int] = {}
        """Documents that show an audience nothing: their heads' ids, and as of which generation."""
        self._closed = not site.settings.anonymous_read
        """Nothing is for everybody here: no cache that several people share may keep an answer."""
        age = site.settings.index_max_age
        self._by_credential = "Authorization, X-API-Key, Cookie" if age else ""
        self._cache_control = {
            False: f"public, max-age={age}" if age else "no-cache",
            True: f"private, max-age={age}" if age else "private, no-cache",
        }

    async def content(self, facts: Facts, namespace: str, type: PackageType, label: str, target: Target) -> Content:
        """What answers a target that has bytes. Raises NotFound, Unauthenticated, Unavailable."""
        actor = ANONYMOUS if facts.anonymous else await actor_of(self.site, facts)
        require_read(self.site, actor, needs=(f"{type.name}:download",))
        match target:
            case DocumentTarget():
                return await self._document(facts, actor, namespace, type, label, target)
            case PartTarget():
                return await self._part(facts, actor, namespace, type, label, target)
            case FileTarget():
                return await self._file(facts, actor, namespace, type, target)
            case AddressedTarget():
                return await self._shard(actor, namespace, type, label, target)
            case NewestTarget():
                return await self._newest(actor, namespace, type, label, target)
            case NoticesTarget():
                return await self._notices(namespace, type, target)
        raise TypeError(target)

    # -- index documents ----------------------------------------------------------------------------------------------

    async def _document(self, facts: Facts, actor: Actor, namespace: str, type: PackageType, label: str, target: DocumentTarget) -> Content:
        representation = self._documents[type.name, target.representation]
        head = await self.site.lookup.head(namespace, type.name, label, target.document)
        if head is None:
            head = await self._standing(actor, namespace, type, label, target.document)
        audience = () if actor.anonymous else await self._audience(actor, type, head.namespace_id)
        encoding = accepted_encoding(facts.accept_encoding) if representation.compressible else ""
        found = self.site.indexes.held_document(head, representation.parts, representation.name, audience, encoding)
        if found is None:
            place = await self._place(namespace, type, label, target.document)
            stands = await self._stands_for(actor, head.namespace_id, type, label, target.document)
            if not stands and not await self._shows(head, audience, self._parts[type.name, representation.parts].shows_withdrawn):
                raise _no_document(namespace, type, label, target.document)  # a rendering would take time, and tell that others see something
            found = await self.site.indexes.document(head, place, representation, audience, encoding)
        if found.empty and not await self._stands_for(actor, head.namespace_id, type, label, target.document):
            raise _no_document(namespace, type, label, target.document)
        return self._prepared(found, private=bool(audience))

    async def _part(self, facts: Facts, actor: Actor, namespace: str, type: PackageType, label: str, target: PartTarget) -> Content:
        representation = self._parts[type.name, target.representation]
        row = await self.site.lookup.part(namespace, type.name, label, target.document, target.part)
        if row is None or not self._may_read(actor, type, row.namespace_id, row.package_id, bool(row.private)):
            await self._is_public(namespace, label)  # as below: else a label that is hidden would take longer than none
            raise not_found(f"{type.name} package {target.part} in {namespace}")
        encoding = accepted_encoding(facts.accept_encoding) if representation.compressible else ""
        relative = representation.absolute and bool(facts.path_token and self.site.settings.public_url)
        found = self.site.indexes.held_part(row, target.part, representation.name, encoding, target.view, relative=relative)
        if found is None:
            if not row.private and not await self._is_public(namespace, label):
                raise not_found(f"{type.name} package {target.part} in {namespace}")
            if target.view and not await self.site.lookup.release(
                row.package_id, target.view
            ):  # whatever anybody asks for would be rendered, and kept
                raise not_found(f"{target.view} of the {type.name} package {target.part} in {namespace}")
            place = await self._place(namespace, type, label, target.document)
            found = await self.site.indexes.part(row, place, target.part, representation, encoding, target.view, relative=relative)
            if found is None:
                raise not_found(f"{type.name} package {target.part} in {namespace}")
        if found.empty:
            raise not_found(f"{target.view} of the {type.name} package {target.part} in {namespace}")
        return self._prepared(found, private=bool(row.private))

    async def _shard(self, actor: Actor, namespace: str, type: PackageType, label: str, target: AddressedTarget) -> Content:
        representation = self._parts[type.name, target.representation]
        row = await self.site.lookup.shard(namespace, type.name, label, target.document, target.representation, target.sha256)
        if row is None or not self._may_read(actor, type, row.namespace_id, row.package_id, bool(row.private)):
            raise not_found(f"shard {target.sha256} in {namespace}")
        private = bool(row.private) or self._closed
        key = (target.sha256, type.name, target.representation, private)
        content = self._small.get(key)
        if content is None:
            body = await self.site.lookup.shard_body(row.id)
            headers = self._headers(representation, f"{_audience(private)}, {IMMUTABLE}", private=private)
            content = Content(headers, target.sha256, len(body), body)
            self._small.put(key, content, len(body) + CONTENT_OVERHEAD)
        return content

    async def _standing(self, actor: Actor, namespace: str, type: PackageType, label: str, document: str) -> HeadRow:
        """The head of a document that is there before its first file. Raises NotFound, after as many look-ups as for a hidden one."""
        owner = await self.site.lookup.namespace(namespace)
        if owner is None:
            raise _no_document(namespace, type, label, document)
        await self._audience(actor, type, owner.id)
        if not await self._stands_for(actor, owner.id, type, label, document):
            raise _no_document(namespace, type, label, document)
        await ensure_standing(namespace_id=owner.id, type=type.name, label=label, document=document)
        head = await self.site.lookup.head(namespace, type.name, label, document)
        if head is None:
            raise _no_document(namespace, type, label, document)
        return head

    async def _audience(self, actor: Actor, type: PackageType, namespace_id: int) -> Audience:
        """Of the private packages of a namespace those that the actor may download."""
        if actor.anonymous or not reads_some_private(actor, namespace_id=namespace_id, needs=(f"{type.name}:download",)):
            return ()
        return audience_of(actor, namespace_id=namespace_id, private=await self.site.lookup.private_packages(namespace_id))

    async def _shows(self, head: HeadRow, audience: Audience, withdrawn: bool) -> bool:
        """Whether the document shows anything to an audience (`withdrawn`: be it as withdrawn). That it does not is asked once in a generation."""
        key = (head.id, audience, withdrawn)
        if self._hidden.get(key) == head.generation:
            return False
        named = "".join(f",{id}" for id in audience) + ","
        if len(named) > LONGEST_AUDIENCE or await self.site.lookup.shown(head.id, named, MAIN if withdrawn else ""):
            return True
        if len(self._hidden) >= MOST_HIDDEN:
            self._hidden.clear()
        self._hidden[key] = head.generation
        return False

    async def _is_public(self, namespace: str, label: str) -> bool:
        """Whether a label is everybody's to know: `main`, and one that a public file has."""
        if label == MAIN:
            return True
        owner = await self.site.lookup.namespace(namespace)
        return owner is not None and await self.site.lookup.public_label(owner.id, label)

    async def _stands_for(self, actor: Actor, namespace_id: int, type: PackageType, label: str, document: str) -> bool:
        """Whether the actor sees the document though it is empty: as everybody, or as one who reads all of the namespace and all its labels."""
        if await self._stands(namespace_id, type, label, document):
            return True
        insider = reads_everything(actor, namespace_id=namespace_id, needs=(f"{type.name}:download",))
        return insider and document in type.standing_documents and await self.site.lookup.label(namespace_id, label)

    async def _stands(self, namespace_id: int, type: PackageType, label: str, document: str) -> bool:
        """Whether everybody sees the document though it is empty: a standing one, of `main` or of a label that a public file has.

        Else a label that only private files have, or that none has any more, would show that it exists.
        """
        return document in type.standing_documents and (label == MAIN or await self.site.lookup.public_label(namespace_id, label))

    async def _place(self, namespace: str, type: PackageType, label: str, document: str) -> Place:
        owner = await self.site.lookup.namespace(namespace)
        return Place(owner.name if owner else namespace, type, label, document, self.site.settings.public_url.rstrip("/"))

    def _prepared(self, rendering: Rendering, *, private: bool) -> Content:
        """The content of a rendering, made once for each of its two audiences (public, private)."""
        private = private or self._closed
        if rendering.prepared is None:
            rendering.prepared = {}
        content: Content | None = rendering.prepared.get(private)
        if content is None:
            headers = self._headers(rendering, self._cache_control[private], private=private, by=self._by_credential)
            if rendering.encoding:
                headers.append((b"content-encoding", rendering.encoding.encode()))
            moving = b""
            if rendering.changed_header:
                headers.append(rendering.changed_header)
                moving = rendering.changed_header[0]
            if len(rendering.pieces) == 1 and rendering.size <= SENT_WHOLE:
                content = Content(headers, rendering.etag, rendering.size, rendering.pieces[0], moving=moving)
            else:
                content = PiecesContent(headers, rendering.etag, rendering.size, rendering.pieces, moving=moving)
            rendering.prepared[private] = content
        return content

    def _headers(
        self, of: Rendering | DocumentRepresentation | PartRepresentation, cache_control: str, *, private: bool, by: str = ""
    ) -> list[Header]:
        vary = ", ".join(name for name in (of.vary, "Accept-Encoding" if of.compressible else "", by) if name)
        headers = [
            (b"content-type", (f"{of.media_type}; charset=utf-8" if of.media_type == "text/html" else of.media_type).encode()),
            (b"cache-control", cache_control.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
            (b"referrer-policy", b"no-referrer"),  # the page's own URL may hold a token
        ]
        if vary:
            headers.append((b"vary", vary.encode()))
        if not private:
            headers.append((b"access-control-allow-origin", b"*"))
        return headers

    async def _notices(self, namespace: str, type: PackageType, target: NoticesTarget) -> Content:
        """What is to be told to whoever may see the namespace; nothing is no document: clients keep an empty one for ever."""
        owner = await self.site.lookup.namespace(namespace)
        rows = [] if owner is None else (await notices_of_namespaces([owner.id]))[owner.id]
        if not rows:
            raise not_found(f"notice in the namespace {namespace}")
        body = type.render_notices([told(row) for row in rows], now())
        representation = DocumentRepresentation(name="notices", parts="", media_type=target.media_type)
        headers = self._headers(representation, self._cache_control[self._closed], private=self._closed, by=self._by_credential)
        return Content(headers, hashlib.sha256(body).hexdigest(), len(body), body)

    # -- files --------------------------------------------------------------------------------------------------------

    async def _file(self, facts: Facts, actor: Actor, namespace: str, type: PackageType, target: FileTarget) -> Content:
        row = await self._file_row(namespace, type, target)
        if row is None or not self._may_read(actor, type, row.namespace_id, row.package_id, bool(row.private)):
            return await self._moved(facts, actor, namespace, type, target)
        private = bool(row.private) or self._closed
        if target.extra is None:
            facts.given = partial(self.site.downloads.count, row.id)
        if row.size > SMALL_BLOB:
            return self._large(row, private, elsewhere=target.extra is None, behind=facts.through_proxy)
        key = (row.sha256, row.basename, row.media_type, private)
        content = self._small.get(key)
        if content is None:
            content = Content(_file_headers(row, private=private), row.sha256, row.size, await self._small_body(row))
            self._small.put(key, content, row.size + CONTENT_OVERHEAD)
        return content

    def _large(self, row: FileRow, private: bool, *, elsewhere: bool, behind: bool) -> Content:
        """A blob that is not kept in memory; `elsewhere`: another one may send it; `behind`: nginx, perhaps, has passed the request on."""
        headers, storage, settings = _file_headers(row, private=private), self.site.storage, self.site.settings
        if elsewhere and storage.link is not None and settings.downloads == "redirect":
            cache_control = f"{_audience(private)}, {IMMUTABLE}"
            link = partial(storage.link, row.sha256, basename=row.basename, media_type=row.media_type, cache_control=cache_control)
            return LinkedContent(headers, row.sha256, row.size, storage, link)
        if elsewhere and behind and settings.accel_redirect:
            return HandedContent(headers, row.sha256, row.size, storage, settings.accel_redirect + name_of(row.sha256))
        return BlobContent(headers, row.sha256, row.size, storage)

    async def _small_body(self, row: FileRow) -> bytes:
        """A small blob. From a folder it is read on the event loop, which is quicker than a hop to a thread."""
        storage, body = self.site.storage, b""
        with suppress(NotFound):
            if storage.path(row.sha256) is None:
                async with aclosing(storage.chunks(row.sha256, 0, row.size)) as chunks:
                    body = b"".join([chunk async for chunk in chunks])
            else:
                with storage.open(row.sha256) as file:
                    body = file.read()
        if len(body) != row.size or hashlib.sha256(body).hexdigest() != row.sha256:
            raise EntrepotError(LOST)
        return body

    async def _newest(self, actor: Actor, namespace: str, type: PackageType, label: str, target: NewestTarget) -> Content:
        row = await newest_file(namespace=namespace, type=type.name, label=label, name=target.name, basename=target.basename)
        if row is None or not self._may_read(actor, type, row["namespace_id"], row["package_id"], bool(row["private"])):
            raise not_found(f"{type.name} package {target.name}{f' with a file {target.basename}' if target.basename else ''} in {namespace}")
        return NewestContent(target.base + type.location(stored_file(row, {})), private=bool(row["private"]) or self._closed)

    async def _file_row(self, namespace: str, type: PackageType, target: FileTarget) -> FileRow | None:
        if target.extra is None:
            return await self.site.lookup.file(namespace, type.name, target.path)
        return await self.site.lookup.extra(namespace, type.name, target.path, target.extra)

    async def _moved(self, facts: Facts, actor: Actor, namespace: str, type: PackageType, target: FileTarget) -> Content:
        """The way to a file that is in another namespace now. Raises NotFound where there is none that the actor may read.

        What is there and hidden is looked for too: else its answer would come sooner than that of what is not there, and end the way to another.
        """
        row = await moved_file(namespace=namespace, type=type.name, path=target.path)
        location = new_location(facts, row["namespace"]) if row is not None else None
        if row is None or location is None or not self._may_read(actor, type, row["namespace_id"], row["package_id"], bool(row["private"])):
            raise not_found(f"file {target.path} in {namespace}")
        again = row["old_package_id"]  # the path is used again
        if again is not None and self._may_read(actor, type, row["old_namespace_id"], again, bool(row["old_private"])):
            raise not_found(f"file {target.path} in {namespace}")
        return MovedContent(location, private=bool(row["private"]) or self._closed)

    @staticmethod
    def _may_read(actor: Actor, type: PackageType, namespace_id: int, package_id: int, private: bool) -> bool:
        return not private or reads_private(actor, namespace_id=namespace_id, package_id=package_id, needs=(f"{type.name}:download",))


def _no_document(namespace: str, type: PackageType, label: str, document: str) -> NotFound:
    return not_found(f"{type.name} index {document} of {namespace}{'' if label == MAIN else f' with the label {label}'}")


def _audience(private: bool) -> str:
    return "private" if private else "public"


def _file_headers(row: FileRow, *, private: bool) -> list[Header]:
    """Stored files come from strangers: always a download, never a page of this origin."""
    headers = [
        (b"content-type", row.media_type.encode()),
        (b"content-disposition", f"attachment; filename*=UTF-8''{quote(row.basename)}".encode()),
        (b"cache-control", f"{_audience(private)}, {IMMUTABLE}".encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
        (b"referrer-policy", b"no-referrer"),
    ]
    if not private:
        headers.append((b"access-control-allow-origin", b"*"))
    return headers


def immediate(target: RedirectTarget | RefusalTarget, query: str = "") -> Response:
    """The answer to a target without bytes of its own."""
    if isinstance(target, RefusalTarget):
        refusal = problem(target.status, target.message)
        if target.status == 406:
            refusal.headers["vary"] = "Accept"  # another one may be met
        return refusal
    location = quote(target.location + (f"?{query}" if query else ""), safe=IN_URLS)
    if ":" in location.partition("/")[0]:
        location = f"./{location}"  # else what stands before the colon is taken for a scheme, and leads to another site
    headers = {"location": location, "cache-control": "max-age=86400", "referrer-policy": "no-referrer"}  # the URL that leads here may hold a token
    return Response(status_code=301, headers=headers)


async def respond(server: Server, request: Request, *, namespace: str, type: str, target: Target, label: str = MAIN) -> Response:
    """See `Services.respond`."""
    package_type = server.site.registry.types.get(type)
    if package_type is None:
        raise NotFound(f"There is no package type {type}.")
    if isinstance(target, RedirectTarget | RefusalTarget):
        return immediate(target)
    facts = Facts(request.scope)
    content = await server.content(facts, namespace.lower(), package_type, label, target)
    return Answer(content, facts)  # type: ignore[return-value]  # Starlette sends any ASGI callable
