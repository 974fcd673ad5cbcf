"""The index engine: documents and parts, rendered once per generation from stored entries, never older than the head that a request has just read.

A `PartStore` (`partstores.py`) holds every part of one document in one part representation. A worker that is behind reads the changed parts alone
and renders those anew; what a document shows an audience is then a join over the store. A part is visible as a whole or not at all (it belongs to one
package), so all audiences share one store and differ in the documents only.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tortoise.exceptions import IntegrityError

from entrepot.clock import now
from entrepot.db.sql import execute, rows_of, transact
from entrepot.errors import NotFound
from entrepot.metrics import RENDERS
from entrepot.services.cache import ByteCache
from entrepot.services.flights import Flights
from entrepot.services.labels import MAIN
from entrepot.services.partstores import PART_OVERHEAD, Audience, PartStore, advanced
from entrepot.services.renderings import COMPRESS_FROM, Rendering, encoded, rendering
from entrepot.services.savedstores import SAVED_EVERY, is_stored, rendering_of, save, saved
from entrepot.storage.body import body_of

if TYPE_CHECKING:
    from entrepot.db.lookup import HeadRow, PartRow
    from entrepot.db.snapshot import DocumentRead, PartRows, Snapshots
    from entrepot.inspection import StoredExtra
    from entrepot.packagetype import PackageType
    from entrepot.representations import DocumentRepresentation, PartRepresentation
    from entrepot.storage import Storage

from entrepot.representations import RenderContext

STORE_SHARDS = """INSERT INTO shard (head_id, representation, part, package_id, sha256, generation, stored_at, body) VALUES {rows}
    ON CONFLICT (head_id, sha256, representation) DO UPDATE SET stored_at = excluded.stored_at,
    package_id = CASE WHEN excluded.generation > shard.generation THEN excluded.package_id ELSE shard.package_id END,
    generation = CASE WHEN excluded.generation > shard.generation THEN excluded.generation ELSE shard.generation END"""
"""A worker that is late must not make a shard older than another worker has said: gc would take it for superseded. Nor may it give a shard back to
a package that was deleted: it would be served to nobody."""


class Place(NamedTuple):
    """A document in a channel, as a request names it."""

    namespace: str
    type: PackageType
    label: str
    document: str
    public_url: str = ""

    def context(self, part: str | None = None, *, view: str = "", changed_at: int = 0) -> RenderContext:
        """What the type is told of where its rendering will be read."""
        return RenderContext(
            namespace=self.namespace,
            label=self.label,
            document=self.document,
            part=part,
            public_url=self.public_url,
            view=view,
            changed_at=changed_at,
        )


class Indexes:
    """Renders and keeps index documents."""

    def __init__(self, snapshots: Snapshots, bound: int, storage: Storage | None = None) -> None:
        """`storage` is needed by types that render extras into their parts."""
        self._snapshots = snapshots
        self._storage = storage
        self.saved_every = SAVED_EVERY
        self.stores: ByteCache[PartStore] = ByteCache(bound * 3 // 4)
        self.parts: ByteCache[Rendering] = ByteCache(bound // 4)
        self._store_flights: Flights[PartStore] = Flights()
        self._flights: Flights[Rendering | None] = Flights()

    @property
    def under_way(self) -> int:
        """How many renderings are being made or wait for a thread."""
        return len(self._store_flights) + len(self._flights)

    # -- documents ----------------------------------------------------------------------------------------------------

    def held_document(self, head: HeadRow, parts: str, representation: str, audience: Audience, encoding: str) -> Rendering | None:
        """The rendering, if it is at hand and not older than the head."""
        store = self.stores.get((head.id, parts))
        found = store and store.documents.get((representation, audience, encoding))
        return found if found and found.generation >= head.generation and not found.header_outdated else None

    async def document(
        self, head: HeadRow, place: Place, representation: DocumentRepresentation, audience: Audience, encoding: str = ""
    ) -> Rendering:
        """A document, not older than the head. Raises NotFound, Unavailable."""
        while True:
            held = self.held_document(head, representation.parts, representation.name, audience, encoding)
            if held is not None:
                return held
            key = (head.id, representation.name, audience, encoding)
            found = await self._flights.join(key, lambda: self._document(head, place, representation, audience, encoding))
            if found is not None and found.generation >= head.generation:
                return found

    async def _document(self, head: HeadRow, place: Place, representation: DocumentRepresentation, audience: Audience, encoding: str) -> Rendering:
        if encoding == "zstd" and representation.zstd:
            other = next(one for one in place.type.document_representations if one.name == representation.zstd)
            frame = await self.document(head, place, other, audience)
            made = replace(frame, media_type=representation.media_type, vary=representation.vary, encoding=encoding, compressible=True, prepared=None)
        elif encoding:
            plain = await self.document(head, place, representation, audience)
            if (held := self.held_document(head, representation.parts, representation.name, audience, encoding)) is not None:
                return held
            same = self._same_document(head, representation, audience, encoding)
            if same is not None and same.etag != plain.etag:
                made = replace(same, changed_header=plain.changed_header, header_outdated=False, prepared=None)
            else:
                made = plain if plain.size < COMPRESS_FROM else await asyncio.to_thread(encoded, plain, encoding)
        else:
            store = await self._store(head, place, part_representation(place.type, representation.parts))
            if (held := self.held_document(head, representation.parts, representation.name, audience, encoding)) is not None:
                return held  # the change did not touch what it shows
            changed_at = await self._changed_at(head.id, None, audience, representation)
            same = self._same_document(head, representation, audience, "")
            if same is not None:
                made = replace(same, changed_header=_changed_header(representation, changed_at), header_outdated=False, prepared=None)
                self._keep(head.id, representation, audience, "", made)
                return made
            context, shown = place.context(), store.shown(audience)
            made = await asyncio.to_thread(
                lambda: rendering(
                    place.type.render(representation.name, context, shown),
                    shared=(part.body for part in store.parts.values()),
                    generation=store.generation,
                    media_type=representation.media_type,
                    vary=representation.vary,
                    compressible=representation.compressible,
                    empty=not shown.names(),
                    changed_header=_changed_header(representation, changed_at),
                )
            )
        RENDERS.add(place.type.name, "encoding" if encoding else "document")
        self._keep(head.id, representation, audience, encoding, made)
        return made

    def _same_document(self, head: HeadRow, representation: DocumentRepresentation, audience: Audience, encoding: str) -> Rendering | None:
        """A rendering with the right bytes, of which only the header that says when it was changed is too old."""
        store = self.stores.get((head.id, representation.parts))
        found = store and store.documents.get((representation.name, audience, encoding))
        return found if found and found.generation >= head.generation and found.header_outdated else None

    def _keep(self, head_id: int, representation: DocumentRepresentation, audience: Audience, encoding: str, made: Rendering) -> None:
        """Keep a document with the store that it was rendered from, if that is still the one held."""
        key = (head_id, representation.parts)
        store = self.stores.get(key)
        if store is None or store.generation != made.generation:
            return
        store.documents[representation.name, audience, encoding] = made
        while not self.stores.takes(store.cost) and store.shrink():
            pass  # the parts are worth more than what is rendered from them
        self.stores.put(key, store, store.cost)

    # -- stores -------------------------------------------------------------------------------------------------------

    async def _store(self, head: HeadRow, place: Place, representation: PartRepresentation) -> PartStore:
        key = (head.id, representation.name)
        while True:
            store = self.stores.get(key)
            if store is None or store.generation < head.generation:
                store = await self._store_flights.join(key, lambda: self._advance(head, place, representation))
            if store.generation >= head.generation:
                return store

    async def _advance(self, head: HeadRow, place: Place, representation: PartRepresentation) -> PartStore:
        """Bring a store to the present: all of it, or the parts that changed."""
        key = (head.id, representation.name)
        old = self.stores.get(key) or await self._saved(head.id, place, representation)
        since, under = old.generation if old else None, _withdrawn_under(representation)
        read = await self._snapshots.document(head.id, representation.entries, since, under, only_names=representation.only_names)
        bodies, digests = await asyncio.to_thread(_render_parts, place, representation, read.parts)
        if representation.addressed:
            await self._store_shards(head.id, representation.name, read, bodies, digests)
            bodies = digests
        new = await asyncio.to_thread(advanced, old, read, bodies)
        new.unsaved = (old.unsaved if old else 0) + len(read.parts)
        await asyncio.to_thread(read.let_go)
        if representation.addressed and new.unsaved >= self.saved_every:
            await save(head.id, representation.name, rendering_of(place.type, representation, place.context()), new)
            new.unsaved = 0
        RENDERS.add(place.type.name, "parts")
        self.stores.put(key, new, new.cost)
        return new

    async def _saved(self, head_id: int, place: Place, representation: PartRepresentation) -> PartStore | None:
        """A store to go on from, where this worker holds none. Other than shards, what is made of parts is nowhere but in memory."""
        if not representation.addressed:
            return None
        store = await saved(head_id, representation.name, rendering_of(place.type, representation, place.context()))
        if store is None or not await is_stored(head_id, store, await self._snapshots.shards(head_id, representation.name, None)):
            return None
        return store

    async def _store_shards(
        self, head_id: int, representation: str, read: DocumentRead, bodies: Mapping[str, bytes], digests: Mapping[str, bytes]
    ) -> None:
        """Store addressed parts before an index that names them is served, for every worker and host."""
        stored = await self._snapshots.shards(head_id, representation, None if read.whole else list(bodies))
        fresh = [name for name, digest in digests.items() if stored.get(name) != (digest.hex(), read.parts[name].package_id)]
        if not fresh:
            return
        at = now()

        async def write() -> None:
            for start in range(0, len(fresh), 200):
                rows = [
                    (head_id, representation, name, read.parts[name].package_id, digests[name].hex(), read.generation, at, bodies[name])
                    for name in fresh[start : start + 200]
                ]
                await execute(
                    STORE_SHARDS.format(rows=rows_of(len(rows), 8)),
                    *(value for row in rows for value in row),
                )

        try:
            await transact(write)
        except IntegrityError as error:  # the head went with its namespace since it was read
            raise NotFound("The namespace of this index is no more.") from error

    # -- parts --------------------------------------------------------------------------------------------------------

    def held_part(self, row: PartRow, part: str, representation: str, encoding: str, view: str = "", *, relative: bool = False) -> Rendering | None:
        """The rendering of one part, or a view of it, if it is at hand and not older than the part's last change."""
        found = self.parts.get((row.head_id, part, representation, encoding, view, relative))
        return found if found and found.generation >= row.generation else None

    async def part(
        self,
        row: PartRow,
        place: Place,
        part: str,
        representation: PartRepresentation,
        encoding: str = "",
        view: str = "",
        *,
        relative: bool = False,
    ) -> Rendering | None:
        """One part, not older than its last change; None where it has no entries, `empty` where a view of it shows none.

        `relative`: of a representation with `absolute`, the rendering for who asks with a token in the path. Raises NotFound, Unavailable.
        """
        if relative:
            place = place._replace(public_url="")
        while True:
            held = self.held_part(row, part, representation.name, encoding, view, relative=relative)
            if held is not None:
                return held
            key = (row.head_id, part, representation.name, encoding, view, relative)
            found = await self._flights.join(key, lambda: self._part(row, place, part, representation, encoding, view, relative))
            if found is None or found.generation >= row.generation:
                return found

    async def _part(
        self, row: PartRow, place: Place, part: str, representation: PartRepresentation, encoding: str, view: str, relative: bool
    ) -> Rendering | None:
        if encoding:
            plain = await self.part(row, place, part, representation, view=view, relative=relative)
            if plain is None:
                return None
            made = plain if plain.size < COMPRESS_FROM else await asyncio.to_thread(encoded, plain, encoding)
        else:
            read = await self._snapshots.part(row.head_id, part, representation.entries, _withdrawn_under(representation))
            if part not in read.parts:
                return None
            changed_at = await self._changed_at(row.head_id, part, (), representation)
            context, entries = place.context(part, view=view, changed_at=changed_at), _entries(place.type, representation, read.parts[part])
            if representation.reads_extras:
                context = await self._with_extras(place.type, representation.name, context, entries)
            made = await asyncio.to_thread(_rendered_part, place.type, representation, context, entries, read.generation)
        RENDERS.add(place.type.name, "encoding" if encoding else "part")
        self.parts.put((row.head_id, part, representation.name, encoding, view, relative), made, made.size + PART_OVERHEAD)
        return made

    async def _with_extras(self, type: PackageType, representation: str, context: RenderContext, entries: Sequence[bytes]) -> RenderContext:
        """The context with the bytes of the extras that the type wants."""
        wanted = await asyncio.to_thread(type.extras_for, representation, context, entries)
        return replace(context, extras={one.sha256: body for one in wanted if (body := await self._extra(one)) is not None})

    async def _extra(self, extra: StoredExtra) -> bytes | None:
        """None: its file was removed since, or the storage has lost it."""
        return None if self._storage is None else await body_of(self._storage, extra.sha256, extra.size)

    async def _changed_at(
        self, head_id: int, part: str | None, audience: Audience, representation: PartRepresentation | DocumentRepresentation
    ) -> int:
        """Read after the entries: what is said with an older rendering is that of the next one, which follows at once."""
        return await self._snapshots.changed_at(head_id, part, audience) if representation.changed_header else 0


def _changed_header(representation: PartRepresentation | DocumentRepresentation, changed_at: int) -> tuple[bytes, bytes] | None:
    name = representation.changed_header
    return (name.lower().encode(), str(changed_at).encode()) if name else None


def _rendered_part(
    type: PackageType, representation: PartRepresentation, context: RenderContext, entries: Sequence[bytes], generation: int
) -> Rendering:
    body = type.render_part(representation.name, context, entries)
    return rendering(
        [body],
        generation=generation,
        media_type=representation.media_type,
        vary=representation.vary,
        compressible=representation.compressible,
        empty=bool(context.view) and not body,
        changed_header=_changed_header(representation, context.changed_at),
    )


def part_representation(package_type: PackageType, name: str) -> PartRepresentation:
    """A type's part representation by its name."""
    return next(one for one in package_type.part_representations if one.name == name)


def _withdrawn_under(representation: PartRepresentation) -> str | None:
    return MAIN if representation.shows_withdrawn else None


def _entries(package_type: PackageType, representation: PartRepresentation, rows: PartRows) -> list[bytes]:
    """What a part is rendered from."""
    if not rows.withdrawn or representation.entries is None:
        return rows.bodies
    return [*rows.bodies, *(package_type.withdrawn(representation.entries, body) for body in rows.withdrawn)]


def _render_parts(place: Place, representation: PartRepresentation, parts: Mapping[str, PartRows]) -> tuple[Mapping[str, bytes], Mapping[str, bytes]]:
    """The rendered bytes of every part that has entries, or nothing but its existence; their digests if addressed."""
    if representation.entries is None or representation.only_names:
        return {name: b"" for name, rows in parts.items() if rows.bodies}, {}
    render = place.type.render_part
    bodies = {
        name: render(representation.name, place.context(name), entries)
        for name, rows in parts.items()
        if (entries := _entries(place.type, representation, rows))
    }
    return bodies, {name: hashlib.sha256(body).digest() for name, body in bodies.items()} if representation.addressed else {}
