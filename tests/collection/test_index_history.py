"""Pruning the change log and collecting shards: whatever goes, every index is right, and every shard that it names is there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from entrepot.db.sql import fetch, fetch_one, transaction
from entrepot.services.collection.changes import STEP, prune_changes
from entrepot.services.collection.report import Report
from entrepot.services.heads import Touched, bump
from entrepot.services.indexes import Indexes, Place
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import ToyType, build_toy, line_of

if TYPE_CHECKING:
    from entrepot.db.snapshot import Snapshots, StoredShard

    from .conftest import Yard

WEEK = 7 * 24
FUTURE = 1 << 60
NO_AGE = timedelta(seconds=-1)


async def get(yard: Yard, path: str) -> bytes:
    async with yard.house.anyone as client:
        response = await client.get(f"/toy/alice/{path}")
        assert response.status_code == 200, (path, response.text)
        return response.content


async def shards(yard: Yard) -> dict[str, str]:
    """What the index of shards says: part and digest; each must be there."""
    named = dict(line.split() for line in (await get(yard, "shards")).decode().splitlines())
    for digest in named.values():
        await get(yard, f"shard/{digest}")
    return named


async def log(yard: Yard) -> list[int]:
    """The generations that the change log holds."""
    return [row["generation"] for row in await fetch("SELECT generation FROM change ORDER BY generation")]


async def stored_shards() -> int:
    return len(await fetch("SELECT 1 FROM shard"))


# -- the change log -----------------------------------------------------------------------------------------------------


async def test_what_is_older_than_a_week_goes_and_the_head_says_up_to_where(yard: Yard) -> None:
    for name in ("crane", "rope"):
        await yard.alice.has(f"{name}.toy", build_toy(name))
    await yard.age(hours=WEEK + 1)
    await yard.alice.has("anchor.toy", build_toy("anchor"))
    report = await yard.collect()
    head = await fetch_one("SELECT generation, pruned FROM head WHERE label = 'main'")
    assert head is not None
    assert (report.changes, head["pruned"], await log(yard)) == (2, head["generation"] - 1, [head["generation"]])
    assert (await yard.collect()).changes == 0
    assert await yard.sound()


async def test_what_is_younger_stays(yard: Yard) -> None:
    await yard.alice.has("crane.toy", build_toy("crane"))
    await yard.age(hours=WEEK - 1)
    assert (await yard.collect()).changes == 0
    assert len(await log(yard)) == 1


async def test_a_worker_that_is_behind_the_log_reads_the_document_whole(yard: Yard) -> None:
    bodies = {f"{name}.toy": build_toy(name) for name in ("anchor", "crane", "rope")}
    await yard.alice.has("anchor.toy", bodies["anchor.toy"])
    assert (await get(yard, "listing")).decode() == line_of("anchor.toy", bodies["anchor.toy"])
    await yard.alice.has("crane.toy", bodies["crane.toy"])
    await yard.age(hours=WEEK + 1)
    await yard.alice.has("rope.toy", bodies["rope.toy"])
    assert (await yard.collect()).changes == 2
    assert (await get(yard, "listing")).decode() == "".join(line_of(*item) for item in bodies.items())
    await yard.remove("anchor.toy")
    assert (await get(yard, "listing")).decode() == "".join(line_of(*item) for item in list(bodies.items())[1:])


async def test_a_page_stays_what_it_was_and_changes_again_when_something_changes(yard: Yard) -> None:
    first, second = build_toy("crane", "1"), build_toy("crane", "2")
    await yard.alice.has("crane-1.toy", first)
    await yard.alice.has("rope.toy", build_toy("rope"))
    assert (await get(yard, "page/crane")).decode() == line_of("crane-1.toy", first)
    await yard.age(hours=WEEK + 1)
    assert (await yard.collect()).changes == 2
    assert (await get(yard, "page/crane")).decode() == line_of("crane-1.toy", first)
    await yard.alice.has("crane-2.toy", second)
    assert (await get(yard, "page/crane")).decode() == line_of("crane-1.toy", first) + line_of("crane-2.toy", second)
    await yard.remove("crane-1.toy")
    await yard.age(hours=WEEK + 1)
    assert (await yard.collect()).changes == 2
    assert (await get(yard, "page/crane")).decode() == line_of("crane-2.toy", second)


async def test_a_log_of_many_rows_is_pruned_in_steps_and_only_as_far_as_it_is_old(yard: Yard) -> None:
    namespace = yard.alice.actor.namespace_id
    assert namespace is not None
    wide = [Touched(namespace, "toy", "main", "all", f"part-{number}") for number in range(STEP + 500)]
    for touched in (wide[:10], wide, wide[:1]):
        async with transaction():
            await bump(touched)
    await yard.age(hours=WEEK + 1)
    async with transaction():
        await bump(wide[:3])
    report = Report()
    at = await fetch_one("SELECT max(changed_at) AS latest FROM change")
    assert at is not None
    await prune_changes(report, before=at["latest"])
    assert report.changes == 10 + len(wide) + 1
    assert len(await log(yard)) == 3


# -- shards -------------------------------------------------------------------------------------------------------------


async def test_a_superseded_shard_is_served_for_a_week_and_then_goes(yard: Yard) -> None:
    await yard.alice.has("crane-1.toy", build_toy("crane", "1"))
    await yard.alice.has("rope.toy", build_toy("rope"))
    old = (await shards(yard))["crane"]
    await yard.alice.has("crane-2.toy", build_toy("crane", "2"))
    new = await shards(yard)
    assert new["crane"] != old
    await yard.age(hours=WEEK - 1)
    assert (await yard.collect()).shards.count == 0
    await get(yard, f"shard/{old}")
    await yard.age(hours=2)
    report = await yard.collect()
    assert (report.shards.count, report.shards.size) == (1, len(line_of("crane-1.toy", build_toy("crane", "1"))))
    async with yard.house.anyone as client:
        assert (await client.get(f"/toy/alice/shard/{old}")).status_code == 404
    assert await shards(yard) == new


async def test_a_shard_that_an_index_names_never_goes_however_old_it_is(yard: Yard) -> None:
    await yard.alice.has("crane.toy", build_toy("crane"))
    named = await shards(yard)
    await yard.age(hours=50 * WEEK)
    assert (await yard.collect()).shards.count == 0
    assert await shards(yard) == named


async def test_a_part_that_comes_back_to_what_it_was_has_its_shard_again(yard: Yard) -> None:
    await yard.alice.has("crane-1.toy", build_toy("crane", "1"))
    before = await shards(yard)
    await yard.alice.has("crane-2.toy", build_toy("crane", "2"))
    await shards(yard)
    await yard.age(hours=WEEK + 1)
    assert (await yard.collect()).shards.count == 1
    await yard.remove("crane-2.toy")
    assert await shards(yard) == before
    await yard.age(hours=WEEK + 1)
    assert (await yard.collect()).shards.count == 1  # that of the two together
    assert await shards(yard) == before


async def test_the_shard_of_a_part_without_files_goes_after_a_week_and_comes_back_with_them(yard: Yard) -> None:
    await yard.alice.has("crane.toy", build_toy("crane"))
    await yard.alice.has("rope.toy", build_toy("rope"))
    before = await shards(yard)
    await yard.age(hours=WEEK + 1)
    await yard.remove("crane.toy")
    assert (await yard.collect()).shards.count == 0  # it was named until just now
    await yard.age(hours=WEEK + 1)
    assert (await yard.collect()).shards.count == 1
    assert await stored_shards() == 1
    await yard.alice.has("crane.toy", build_toy("crane"))
    assert await shards(yard) == before


async def test_the_shards_of_each_label_are_its_own(yard: Yard) -> None:
    await yard.alice.has("crane.toy", build_toy("crane"), labels=["main", "dev"])
    main = await shards(yard)
    async with yard.house.anyone as client:
        assert (await client.get("/toy/alice/label/dev/shards")).text.split() == ["crane", main["crane"]]
    assert await stored_shards() == 2
    await yard.age(hours=WEEK + 1)
    assert (await yard.collect()).shards.count == 0


class HeldUp:
    """The site's snapshots, for a worker that is held up before and after it asks which shards are stored."""

    def __init__(self, snapshots: Snapshots) -> None:
        self.document = snapshots.document
        self.part = snapshots.part
        self.changed_at = snapshots.changed_at
        self.close = snapshots.close
        self._shards = snapshots.shards
        self.came, self.may_ask, self.asked, self.may_go = (asyncio.Event() for _ in range(4))

    async def shards(self, head_id: int, representation: str, parts: Sequence[str] | None) -> Mapping[str, StoredShard]:
        self.came.set()
        await self.may_ask.wait()
        found = await self._shards(head_id, representation, parts)
        self.asked.set()
        await self.may_go.wait()
        return found


async def test_a_late_worker_does_not_make_a_shard_older_than_another_one_has_said(yard: Yard) -> None:
    site = yard.house.site
    await yard.alice.has("crane-1.toy", build_toy("crane", "1"))
    named = await shards(yard)
    head = await site.lookup.head("alice", "toy", "main", "all")
    assert head is not None
    held_up = HeldUp(site.snapshots)
    place = Place("alice", ToyType(), "main", "all")
    late = asyncio.create_task(Indexes(held_up, 1 << 20).document(head, place, place.type.document_representations[1], ()))
    await held_up.came.wait()  # it has read the first generation
    await yard.alice.has("crane-2.toy", build_toy("crane", "2"))
    await shards(yard)
    held_up.may_ask.set()
    await held_up.asked.wait()  # the latest shard is not what it has: it will store its own
    await yard.remove("crane-2.toy")
    assert await shards(yard) == named  # the same bytes, of the third generation
    held_up.may_go.set()
    await late
    await yard.age(hours=WEEK + 1)
    await yard.collect()
    assert await shards(yard) == named


# -- anything, in any order ---------------------------------------------------------------------------------------------


@dataclass
class Workers:
    """Two workers of the site, with a memory of their own, and a label of their own to look at."""

    yard: Yard
    label: str
    files: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.workers = [Indexes(self.yard.house.site.snapshots, 1 << 20) for _ in range(2)]
        self.place = Place("alice", ToyType(), self.label, "all")

    async def toggle(self, part: int, number: int) -> None:
        """Add a file to a part, or remove it."""
        basename = f"{self.label}-{part}-{number}.toy"
        if basename in self.files:
            self.files.remove(basename)
            await self.yard.remove(basename)
        else:
            self.files.add(basename)
            await self.yard.alice.has(basename, build_toy(f"part-{part}", str(number)), labels=[self.label])

    async def read(self, worker: int) -> None:
        """Both indexes, and every shard named, are what the files say."""
        site = self.yard.house.site
        head = await site.lookup.head("alice", "toy", self.label, "all")
        if head is None:
            return
        representations = {one.name: one for one in self.place.type.document_representations}
        listing = await self.workers[worker].document(head, self.place, representations["listing"], ())
        index = await self.workers[worker].document(head, self.place, representations["shards"], ())
        await self.yard.collect(index_history=NO_AGE)  # between the index and its shards
        bodies = {}
        for line in b"".join(index.pieces).decode().splitlines():
            part, digest = line.split()
            row = await site.lookup.shard("alice", "toy", self.label, "all", "shard", digest)
            assert row is not None, f"the shard of {part} is named and not there"
            bodies[part] = await site.lookup.shard_body(row.id)
        wanted = {part: self.lines(part) for part in sorted({self.part_of(basename) for basename in self.files})}
        assert bodies == wanted
        assert b"".join(listing.pieces) == b"".join(wanted.values())
        for part, body in wanted.items():
            found = await site.lookup.part("alice", "toy", self.label, "all", part)
            assert found is not None
            page = await self.workers[worker].part(found, self.place, part, self.place.type.part_representations[0])
            assert page is not None
            assert b"".join(page.pieces) == body

    def part_of(self, basename: str) -> str:
        return f"part-{basename.split('-')[1]}"

    def lines(self, part: str) -> bytes:
        mine = sorted(basename for basename in self.files if self.part_of(basename) == part)
        return "".join(line_of(name, build_toy(part, name.split("-")[2].removesuffix(".toy"))) for name in mine).encode()


labels = count()
toggles = st.tuples(st.just("toggle"), st.integers(0, 1), st.integers(0, 1))
reads = st.tuples(st.just("read"), st.integers(0, 1), st.just(0))
prunes = st.tuples(st.just("prune"), st.integers(0, 3), st.just(0))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(toggles | reads | prunes, min_size=2, max_size=14))
async def test_however_changes_readings_and_prunings_mix_no_worker_shows_anything_wrong(yard: Yard, steps: Sequence[tuple[str, int, int]]) -> None:
    workers = Workers(yard, f"label{next(labels)}")
    for step, first, second in steps:
        if step == "toggle":
            await workers.toggle(first, second)
        elif step == "read":
            await workers.read(first)
        else:  # all but the last few rows of the log
            rows = await fetch("SELECT changed_at FROM change ORDER BY generation DESC")
            await prune_changes(Report(), before=rows[first]["changed_at"] if len(rows) > first else FUTURE)
    for worker in (0, 1):
        await workers.read(worker)
