"""Saved stores: which shards a document named in some generation, kept in the database, so that a worker that starts does not render them all.

What is saved is what a worker held at that generation, no more: who reads it goes on from there by the change log, as that worker did, and reads the
whole document where the log is pruned. It counts for the code that made it and for the place that it was made for; another's shards are others.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import msgpack
from tortoise.exceptions import IntegrityError

from entrepot.db.sql import execute, fetch, fetch_one, transact
from entrepot.errors import Unavailable
from entrepot.services.partstores import HeldPart, PartStore

if TYPE_CHECKING:
    from entrepot.db.snapshot import StoredShard
    from entrepot.packagetype import PackageType
    from entrepot.representations import PartRepresentation, RenderContext

SAVED_EVERY = 250
"""Changed parts after which a store is saved again. A small document is as quickly rendered: it is saved when it has seen so many changes."""
FORM = 1
"""Raise it when what the core hands to `render_part`, or the form of what is saved, changes."""

SAVED = "SELECT generation, body FROM saved_store WHERE head_id = $1 AND representation = $2 AND rendering = $3"
SAVE = """INSERT INTO saved_store (head_id, representation, rendering, generation, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (head_id, representation) DO UPDATE SET rendering = excluded.rendering, generation = excluded.generation, body = excluded.body
    WHERE excluded.generation > saved_store.generation OR excluded.rendering <> saved_store.rendering"""
CHANGED = "SELECT DISTINCT part FROM change WHERE head_id = $1 AND generation > $2"


def rendering_of(type: PackageType, representation: PartRepresentation, context: RenderContext) -> str:
    """What decides the bytes of a shard beside its entries: the versions of type and representation, and what the type is told of the place."""
    return hashlib.sha256(repr((FORM, type.name, type.entry_version, representation, context)).encode()).hexdigest()


async def saved(head_id: int, representation: str, rendering: str) -> PartStore | None:
    """The store as it was when it was saved by the same rendering."""
    row = await fetch_one(SAVED, head_id, representation, rendering)
    return None if row is None else await asyncio.to_thread(_unpacked, row["generation"], row["body"])


async def is_stored(head_id: int, store: PartStore, stored: Mapping[str, StoredShard]) -> bool:
    """Whether every shard that a saved store names is what was stored last for its part; but not for those that have changed since."""
    lost = await asyncio.to_thread(_lost, store, stored)
    return not lost or lost <= {row["part"] for row in await fetch(CHANGED, head_id, store.generation)}


async def save(head_id: int, representation: str, rendering: str, store: PartStore) -> None:
    """Save a store whose shards are stored. That it could not be is no reason not to answer: the next worker renders."""
    body = await asyncio.to_thread(_packed, store)
    with suppress(Unavailable, IntegrityError):
        await transact(lambda: execute(SAVE, head_id, representation, rendering, store.generation, body), durable=False)


def _packed(store: PartStore) -> bytes:
    packed: bytes = msgpack.packb([(name, *store.parts[name]) for name in store.names])
    return packed


def _unpacked(generation: int, body: bytes) -> PartStore:
    return PartStore.of(generation, {name: HeldPart(*part) for name, *part in msgpack.unpackb(body)})


def _lost(store: PartStore, stored: Mapping[str, StoredShard]) -> set[str]:
    return {name for name, part in store.parts.items() if stored.get(name) != (part.body.hex(), part.package_id)}
