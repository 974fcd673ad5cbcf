"""Collecting blobs: what goes, what stays, and what happens to an upload that comes meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.errors import Unavailable
from entrepot.services import blobs
from entrepot.services.collection import collect
from entrepot.services.collection.blobs import mark, remove
from entrepot.services.collection.report import Report
from entrepot.services.staging import Terms, announce, receiving
from ground import Ground
from toy import build_toy

if TYPE_CHECKING:
    from .conftest import Yard

FUTURE = 1 << 60


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def blobs_of(name: str, body: bytes) -> set[str]:
    """What a toy stores: the file, and its note."""
    return {digest(body), digest(b"note of " + name.encode())}


async def test_the_bytes_of_a_removed_file_go_and_those_of_others_stay(yard: Yard) -> None:
    crane, rope = build_toy("crane"), build_toy("rope")
    await yard.alice.has("crane.toy", crane)
    await yard.alice.has("rope.toy", rope)
    await yard.remove("rope.toy")
    await yard.age()
    report = await yard.collect()
    assert (report.blobs.count, report.blobs.size, report.failures) == (2, len(rope) + len(b"note of rope"), [])
    assert set(await yard.states()) == yard.stored() == blobs_of("crane", crane)
    async with yard.alice.client as client:
        assert (await client.get("/toy/alice/files/crane.toy")).content == crane
        assert (await client.get("/toy/alice/notes/crane.toy")).content == b"note of crane"
    assert await yard.sound()


async def test_bytes_that_two_files_have_stay_until_both_are_gone(yard: Yard) -> None:
    body = build_toy("crane")
    for basename in ("a.toy", "b.toy"):
        await yard.alice.has(basename, body)
    await yard.age()
    await yard.remove("a.toy")
    assert (await yard.collect()).blobs.count == 0
    async with yard.alice.client as client:
        assert (await client.get("/toy/alice/files/b.toy")).content == body
    await yard.remove("b.toy")
    assert (await yard.collect()).blobs.count == 0  # until just now somebody needed them
    await yard.age()
    assert (await yard.collect()).blobs.count == 2
    assert yard.stored() == set()


async def test_bytes_are_kept_for_a_while_after_their_file_was_removed_however_old_they_are(yard: Yard) -> None:
    await yard.alice.has("crane.toy", build_toy("crane"))
    await yard.age(hours=1000)
    await yard.remove("crane.toy")
    await yard.age(hours=23)
    assert (await yard.collect()).blobs.count == 0
    await yard.age(hours=2)
    assert (await yard.collect()).blobs.count == 2


async def test_what_somebody_has_touched_lately_stays(yard: Yard) -> None:
    await yard.alice.has("crane.toy", build_toy("crane"))
    await yard.remove("crane.toy")
    await yard.age(hours=23)
    assert (await yard.collect()).blobs.count == 0
    assert len(yard.stored()) == 2
    assert (await yard.collect(hours=22)).blobs.count == 2


async def test_an_upload_that_died_leaves_a_claim_and_perhaps_bytes_and_both_go(yard: Yard) -> None:
    storage = yard.house.site.storage
    await blobs.claim([(digest(b"came"), 4), (digest(b"never came"), 10)])
    storage.put_bytes(digest(b"came"), b"came")
    assert (await yard.collect()).blobs.count == 0
    await yard.age()
    assert (await yard.collect()).blobs.count == 2
    assert (await yard.states(), yard.stored()) == ({}, set())


async def test_a_removed_file_can_be_uploaded_again_after_its_bytes_have_gone(yard: Yard) -> None:
    body = build_toy("crane")
    await yard.alice.has("crane.toy", body)
    await yard.remove("crane.toy")
    await yard.age()
    await yard.collect()
    await yard.alice.has("crane.toy", body)
    async with yard.alice.client as client:
        assert (await client.get("/toy/alice/files/crane.toy")).content == body
    assert await yard.sound()


async def test_a_dry_run_counts_what_a_run_removes_and_changes_nothing(yard: Yard) -> None:
    for number in range(3):
        await yard.alice.has(f"crane-{number}.toy", build_toy("crane", str(number)))
        await yard.remove(f"crane-{number}.toy")
    yard.house.site.storage.put_bytes(digest(b"stray"), b"stray")
    await yard.age()
    before = await yard.states(), yard.stored(), await yard.house.rows()
    foreseen = await yard.collect(dry_run=True)
    assert (await yard.states(), yard.stored(), await yard.house.rows()) == before
    done = await yard.collect()
    assert (foreseen.blobs, foreseen.strays, foreseen.shards, foreseen.changes) == (done.blobs, done.strays, done.shards, done.changes)
    assert (done.blobs.count, done.strays.count) == (4, 1)


async def test_thousands_of_blobs_go_page_by_page(yard: Yard) -> None:
    await blobs.claim([(f"{number:064x}", 10) for number in range(1, 1001)])
    await yard.age()
    report = await yard.collect()
    assert (report.blobs.count, report.blobs.size) == (1000, 10_000)
    assert await yard.states() == {}


# -- an upload comes meanwhile ------------------------------------------------------------------------------------------


async def test_an_upload_that_meets_a_blob_about_to_go_keeps_it(yard: Yard) -> None:
    body = build_toy("crane")
    await yard.alice.has("a.toy", body)
    await yard.remove("a.toy")
    await mark(list(await yard.states()), before=FUTURE)
    assert set((await yard.states()).values()) == {"deleting"}
    await yard.alice.has("b.toy", body)  # claims the rows back, and writes the bytes anew
    report = Report()
    assert not await remove(yard.house.site.storage, report, sorted(blobs_of("crane", body)))
    assert report.blobs.count == 0
    async with yard.alice.client as client:
        assert (await client.get("/toy/alice/files/b.toy")).content == body
    assert await yard.sound()


async def test_a_claim_that_was_collected_is_refused_and_nothing_is_published(yard: Yard) -> None:
    claim = await blobs.claim([(digest(b"x"), 1)])
    await yard.collect(hours=-1)  # as if it had taken longer than it may
    with pytest.raises(Unavailable, match="Send it again"):
        await blobs.stored(claim)


async def test_what_came_into_use_since_it_was_looked_at_is_not_marked(yard: Yard) -> None:
    body = build_toy("crane")
    candidates = sorted(blobs_of("crane", body))
    await yard.alice.has("crane.toy", body)
    await mark(candidates, before=FUTURE)
    assert set((await yard.states()).values()) == {"stored"}


async def test_bytes_are_not_unlinked_that_something_refers_to_whatever_their_state_says(yard: Yard) -> None:
    body = build_toy("crane")
    await yard.alice.has("crane.toy", body)
    await execute("UPDATE blob SET state = 'deleting'")
    assert (await yard.collect(hours=-1)).blobs.count == 0
    assert yard.stored() == blobs_of("crane", body)


async def test_two_collectors_at_once_share_the_work(yard: Yard) -> None:
    for number in range(40):
        yard.house.site.storage.put_bytes(digest(b"%d" % number), b"%d" % number)
    await yard.collect()  # puts them on record
    await yard.age()
    reports = await asyncio.gather(*(yard.collect() for _ in range(4)))
    assert sum(report.blobs.count for report in reports) == 40
    assert sum(report.strays.count for report in reports) == 0
    assert [report.failures for report in reports] == [[]] * 4
    assert (await yard.states(), yard.stored()) == ({}, set())


# -- announced uploads --------------------------------------------------------------------------------------------------


async def test_the_bytes_of_an_announced_upload_stay_until_its_time_is_over(yard: Yard) -> None:
    site, body = yard.house.site, build_toy("crane")
    announced = await announce(site, actor=yard.alice.actor, namespace="alice", basename="crane.toy", terms=Terms(package="crane"))
    async with receiving(site, secret=announced.secret, declared_size=len(body)) as reception:
        await reception.write(body)
        await reception.keep()
    await execute("UPDATE blob SET touched_at = 5")
    report = await yard.collect()
    assert (report.blobs.count, report.staged) == (0, 0)
    assert yard.stored() == {digest(body)}
    await yard.age(hours=2)
    report = await yard.collect(hours=1)
    assert (report.blobs.count, report.staged) == (1, 0)  # over, but whoever sends late is still told so
    await yard.age()
    assert (await yard.collect(dry_run=True)).staged == 1
    assert (await yard.collect()).staged == 1
    assert await fetch("SELECT 1 FROM staged_upload") == []


# -- bytes without a row ------------------------------------------------------------------------------------------------


async def test_bytes_that_no_row_knows_get_one_and_go_when_they_were_left_alone(yard: Yard) -> None:
    yard.house.site.storage.put_bytes(digest(b"stray"), b"stray")
    report = await yard.collect()
    assert (report.strays.count, report.strays.size, report.blobs.count) == (1, 5, 0)
    assert await yard.states() == {digest(b"stray"): "claimed"}
    assert await yard.sound()
    await yard.age()
    report = await yard.collect()
    assert (report.strays.count, report.blobs.count, report.blobs.size) == (0, 1, 5)
    assert (await yard.states(), yard.stored()) == ({}, set())


async def test_an_upload_of_bytes_that_no_row_knew_is_an_upload_like_any(yard: Yard) -> None:
    body = build_toy("crane")
    yard.house.site.storage.put_bytes(digest(body), body)
    await yard.collect()
    await yard.alice.has("crane.toy", body)
    await yard.age()
    assert (await yard.collect()).blobs.count == 0
    assert yard.stored() == blobs_of("crane", body)


# -- a storage that does not obey ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(ground: Ground, yard: Yard) -> Path:
    """The folder of the blobs; on the other ground one that the test makes the site's storage."""
    from entrepot.storage import LocalStorage

    folder = yard.house.site.settings.data / "blobs"
    if not ground.is_folder:
        object.__setattr__(yard.house.site, "storage", LocalStorage(folder))
    return folder


async def test_a_blob_that_cannot_be_removed_is_told_and_the_others_go(yard: Yard, folder: Path) -> None:
    bodies = [b"%d" % number for number in range(20)]
    await blobs.claim([(digest(body), len(body)) for body in bodies])
    for body in bodies[1:]:
        yard.house.site.storage.put_bytes(digest(body), body)
    stuck = digest(bodies[0])
    obstacle = folder / "sha256" / stuck[:2] / stuck[2:4] / stuck
    obstacle.mkdir(parents=True)  # a folder cannot be unlinked
    await yard.age()
    report = await yard.collect()
    assert report.blobs.count == 19
    assert report.failures == [f"The bytes of the blob {stuck} cannot be removed: Is a directory."]
    assert await yard.states() == {stuck: "deleting"}
    shutil.rmtree(obstacle)
    assert (await yard.collect()).blobs.count == 1
    assert await yard.states() == {}


async def test_a_storage_that_removes_nothing_is_given_up_and_nothing_is_lost(yard: Yard, folder: Path) -> None:
    digests = [digest(b"%d" % number) for number in range(200)]
    await blobs.claim([(sha256, 1) for sha256 in digests])
    for sha256 in digests:
        (folder / "sha256" / sha256[:2] / sha256[2:4] / sha256).mkdir(parents=True)
    await yard.age()
    with pytest.raises(Unavailable, match="The storage removes nothing just now"):
        await yard.collect()
    assert set(await yard.states()) == set(digests)


async def test_spooled_files_that_dead_uploads_have_left_go(yard: Yard, folder: Path) -> None:
    old, young = folder / "spool" / "old", folder / "spool" / "young"
    for file in (old, young):
        file.write_bytes(b"left")
    os.utime(old, (5, 5))
    report = await collect(yard.house.site.storage, older_than=timedelta(0))
    assert report.spooled == 1
    assert young.exists()
