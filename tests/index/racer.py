"""A worker process of the race test: adds, removes and relabels files of its own, and reads every index as any worker would.

    racer.py DATA NAME SEED OPERATIONS

Prints one JSON object: the faults it saw, how many checks it made, and the ETag it gave each generation of each document.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import sys
from pathlib import Path

from entrepot.app import running
from entrepot.db.sql import fetch
from entrepot.registry import Registry
from entrepot.services import labels
from entrepot.services.actors import Actor
from entrepot.services.files import remove_file
from entrepot.services.indexes import Place
from entrepot.services.uploads import incoming
from entrepot.settings import load_settings
from entrepot.site import Site
from toy import ToyPlugin, build_toy, line_of

CHANNELS = ("main", "dev")
RAW = """SELECT head.generation, entry.body FROM head
    LEFT JOIN label ON label.namespace_id = head.namespace_id AND label.name = head.label
    LEFT JOIN file_label ON file_label.label_id = label.id
    LEFT JOIN entry ON entry.file_id = file_label.file_id AND entry.document = head.document AND entry.representation = 'line'
    WHERE head.id = $1 ORDER BY entry.part, entry.sort_key"""
"""One statement, one snapshot."""


class Racer:
    """One worker."""

    def __init__(self, site: Site, owner_id: int, name: str, seed: int) -> None:
        self.site = site
        self.actor = Actor(name="alice", namespace_id=owner_id, scopes=frozenset({"all"}))
        self.name = name
        self.random = random.Random(seed)
        self.mine: dict[str, tuple[str, str, set[str]]] = {}
        self.faults: list[str] = []
        self.checks = 0
        self.etags: dict[str, str] = {}
        site.indexes.saved_every = 3

    async def run(self, operations: int) -> None:
        for number in range(operations):
            choice = self.random.random()
            if choice < 0.5 or not self.alive():
                await self.add(number)
            elif choice < 0.7:
                await self.remove()
            else:
                await self.relabel()
            for channel in CHANNELS:
                await self.check(channel)

    def alive(self) -> list[str]:
        return [basename for basename, (_, _, has) in sorted(self.mine.items()) if has]

    async def add(self, number: int) -> None:
        # half of the names are shared with the other workers, so that parts and packages are contended
        name = self.random.choice(("shared-a", "shared-b", f"own-{self.name}-{number % 5}"))
        basename = f"{self.name}-{number}.toy"
        body = build_toy(name, str(number), self.name.encode())
        wanted = self.random.choice((("main",), ("dev",), CHANNELS))
        async with incoming(self.site, actor=self.actor, namespace="alice", type="toy", declared_size=None) as upload:
            await upload.write(body)
            await upload.publish(basename=basename, labels=wanted)
        self.mine[basename] = (name, line_of(basename, body), set(wanted))

    async def remove(self) -> None:
        basename = self.random.choice(self.alive())
        await remove_file(self.site, actor=self.actor, namespace="alice", type="toy", path=basename)
        self.mine[basename] = (*self.mine[basename][:2], set())

    async def relabel(self) -> None:
        basename = self.random.choice(self.alive())
        name, line, has = self.mine[basename]
        channel = self.random.choice(CHANNELS)
        change = labels.remove_label if channel in has and len(has) > 1 else labels.add_label
        await change(self.site, actor=self.actor, namespace="alice", type="toy", path=basename, label=channel)
        self.mine[basename] = (name, line, has - {channel} if change is labels.remove_label else has | {channel})

    async def check(self, channel: str) -> None:
        head = await self.site.lookup.head("alice", "toy", channel, "all")
        if head is None:
            return
        if self.random.random() < 0.3:
            self.site.indexes.stores.drop((head.id, "shard"))  # as a worker that starts: it goes on from what one of them has saved
        toy = self.site.registry.types["toy"]
        place = Place("alice", toy, channel, "all")
        listing = await self.site.indexes.document(head, place, toy.document_representations[0], ())
        shards = await self.site.indexes.document(head, place, toy.document_representations[1], ())
        for rendering, kind in ((listing, "listing"), (shards, "shards")):
            if self.etags.setdefault(f"{channel} {kind} {rendering.generation}", rendering.etag) != rendering.etag:
                self.faults.append(f"{channel} {kind}: generation {rendering.generation} has two contents here")
        zipped = await self.site.indexes.document(head, place, toy.document_representations[0], (), "gzip")
        if zipped.generation == listing.generation and zipped.encoding and gzip.decompress(b"".join(zipped.pieces)) != b"".join(listing.pieces):
            self.faults.append(f"{channel}: the compressed listing of generation {listing.generation} says something else")
        lines = b"".join(listing.pieces).decode().splitlines(keepends=True)
        for basename, (_, line, has) in self.mine.items():
            if (line in lines) != (channel in has):
                self.faults.append(f"{channel}: {basename} is {'missing' if channel in has else 'stale'} at generation {listing.generation}")
        await self.compare_with_truth(channel, head.id, listing.generation, lines)
        for line in b"".join(shards.pieces).decode().splitlines():
            await self.check_shard(channel, *line.split())
        await self.check_pages(place, channel)
        self.checks += 1

    async def check_pages(self, place: Place, channel: str) -> None:
        """Each page shows what this worker has put there and taken away."""
        for name in {name for name, _, _ in self.mine.values()}:
            row = await self.site.lookup.part("alice", "toy", channel, "all", name)
            page = row and await self.site.indexes.part(row, place, name, place.type.part_representations[0])
            lines = b"".join(page.pieces).decode().splitlines(keepends=True) if page else []
            for basename, (part, line, has) in self.mine.items():
                if part == name and (line in lines) != (channel in has):
                    self.faults.append(f"{channel}: {basename} is {'missing from' if channel in has else 'stale on'} the page of {name}")

    async def compare_with_truth(self, channel: str, head_id: int, generation: int, lines: list[str]) -> None:
        rows = await fetch(RAW, head_id)
        truth = [bytes(row["body"]).decode() for row in rows if row["body"] is not None]
        if rows[0]["generation"] == generation and truth != lines:
            self.faults.append(f"{channel}: generation {generation} shows {lines}, the database says {truth}")

    async def check_shard(self, channel: str, part: str, digest: str) -> None:
        row = await self.site.lookup.shard("alice", "toy", channel, "all", "shard", digest)
        if row is None:
            self.faults.append(f"{channel}: the shard {digest} of {part} is named and not there")


async def main(data: str, name: str, seed: int, operations: int) -> None:
    settings = load_settings(data=Path(data))
    async with running(settings, Registry.of({"toy": ToyPlugin()})) as started:
        owner = await started.site.lookup.namespace("alice")
        assert owner is not None
        racer = Racer(started.site, owner.id, name, seed)
        await racer.run(operations)
    print(json.dumps({"faults": racer.faults[:20], "checks": racer.checks, "etags": racer.etags}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
