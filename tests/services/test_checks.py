"""What `entrepot check` finds, and what it does not take for wrong."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from entrepot.app import running
from entrepot.clock import now
from entrepot.db.sql import execute, fetch_one
from entrepot.registry import Registry
from entrepot.services import blobs
from entrepot.services.actors import Actor
from entrepot.services.checks import Report, check
from entrepot.services.files import remove_file
from entrepot.services.uploads import incoming
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot.site import Site
from entrepot.storage import open_storage
from ground import Ground
from spoiling import lose, spoil
from toy import ToyPlugin, ToyType, build_toy


@dataclass
class Yard:
    """A running site with the user alice."""

    site: Site
    alice: Actor

    async def upload(self, name: str, filling: bytes = b"") -> str:
        """Publish a toy; its sha256."""
        async with incoming(self.site, actor=self.alice, namespace="alice", type=None, declared_size=None) as upload:
            await upload.write(build_toy(name, filling=filling))
            return (await upload.publish(basename=f"{name}.toy")).sha256

    async def check(self) -> Report:
        return await check(self.site.storage, self.site.registry)

    async def problems(self) -> list[str]:
        return [str(problem) for problem in (await self.check()).problems]


@pytest.fixture
async def yard(tmp_path: Path, ground: Ground) -> AsyncIterator[Yard]:
    registry = Registry.of({"toy": ToyPlugin()})
    async with running(Settings(data=ground.data(tmp_path)), registry) as started:
        namespace = await create_user(registry, name="alice", password=None, admin=False)
        yield Yard(started.site, Actor(name="alice", namespace_id=namespace["id"], scopes=frozenset({"all"})))


async def test_a_server_after_uploads_and_removals_is_clean(yard: Yard) -> None:
    for name in ("crane", "rope", "anchor"):
        await yard.upload(name)
    await remove_file(yard.site, actor=yard.alice, namespace="alice", type="toy", path="rope.toy")
    report = await yard.check()
    assert report.problems == []
    assert (report.files, report.blobs) == (2, 6)
    assert report.notes == ["Blobs that wait to be collected, because their file was removed or their upload died: 2 (23 bytes)."]


async def test_missing_bytes_are_told_for_each_file_that_has_them(yard: Yard) -> None:
    sha256 = await yard.upload("crane")
    lose(yard.site, sha256)
    remedy = "Restore it from a backup of the blobs; bytes that are gone also come back when the same file is uploaded again."
    assert await yard.problems() == [f"alice/toy/crane.toy, blob {sha256}: its bytes are not in storage. {remedy}"]


async def test_missing_bytes_of_an_extra_name_the_extra(yard: Yard) -> None:
    await yard.upload("crane")
    row = await fetch_one("SELECT sha256 FROM extra")
    assert row is not None
    lose(yard.site, row["sha256"])
    [problem] = await yard.problems()
    assert problem.startswith(f"alice/toy/crane.toy (note), blob {row['sha256']}: its bytes are not in storage.")


async def test_a_flipped_bit_is_found(yard: Yard) -> None:
    sha256 = await yard.upload("crane", filling=os.urandom(3 << 20))
    with yard.site.storage.open(sha256) as file:
        body = bytearray(file.read())
    body[2 << 20] ^= 1
    spoil(yard.site, sha256, bytes(body))
    [problem] = await yard.problems()
    assert problem.startswith(f"alice/toy/crane.toy, blob {sha256}: its bytes are damaged: their digest is ")


async def test_a_truncated_blob_is_found(yard: Yard) -> None:
    sha256 = await yard.upload("crane")
    spoil(yard.site, sha256, build_toy("crane")[:5])
    [problem] = await yard.problems()
    assert "it should have 12 bytes, but 5 are in storage." in problem


async def test_a_file_without_a_blob_row_and_its_bytes_without_one_are_two_problems(yard: Yard) -> None:
    sha256 = await yard.upload("crane")
    await execute("DELETE FROM blob WHERE sha256 = $1", sha256)
    first, second = await yard.problems()
    assert first.startswith("alice/toy/crane.toy: no row says that its bytes are stored.")
    assert second.startswith(f"Blob {sha256}: unaccounted: these bytes are in storage, but no row knows them.")


@pytest.mark.parametrize("state", ["claimed", "deleting"])
async def test_a_file_whose_blob_is_not_stored_is_a_problem(yard: Yard, state: str) -> None:
    sha256 = await yard.upload("crane")
    await execute("UPDATE blob SET state = $1 WHERE sha256 = $2", state, sha256)
    [problem] = await yard.problems()
    assert problem.startswith(f"alice/toy/crane.toy: its bytes are in the state {state}, not stored.")


async def test_a_file_and_its_blob_that_disagree_on_the_size_are_a_problem(yard: Yard) -> None:
    await yard.upload("crane")
    await execute("UPDATE file SET size = size + 1")
    problems = await yard.problems()
    assert problems[0].startswith("alice/toy/crane.toy: it has 13 bytes, but its blob is said to have 12.")


async def test_a_stored_blob_without_bytes_is_a_problem_even_if_no_file_has_it(yard: Yard) -> None:
    await blobs.stored(await blobs.claim([("ab" * 32, 3)]))
    [problem] = await yard.problems()
    assert problem.startswith(f"Blob {'ab' * 32}: its bytes are not in storage. No file needs it now")


async def test_an_upload_in_progress_is_neither_wrong_nor_left_over(yard: Yard) -> None:
    await blobs.claim([("ab" * 32, 3)])
    report = await yard.check()
    assert (report.problems, report.notes) == ([], [])


async def test_an_upload_that_died_long_ago_waits_to_be_collected(yard: Yard) -> None:
    await blobs.claim([("ab" * 32, 3)])
    await execute("UPDATE blob SET touched_at = $1", now() - 7_200_000)
    report = await yard.check()
    assert report.problems == []
    assert report.notes == ["Blobs that wait to be collected, because their file was removed or their upload died: 1 (3 bytes)."]


async def test_a_file_that_is_missing_from_an_index_is_found(yard: Yard) -> None:
    await yard.upload("crane")
    await execute("DELETE FROM entry")
    [problem] = await yard.problems()
    assert problem.startswith("alice/toy/crane.toy: it is missing from all (line).")


async def test_an_entry_that_the_type_does_not_make_is_found(yard: Yard) -> None:
    await yard.upload("crane")
    await execute(
        "INSERT INTO entry (file_id, namespace_id, package_id, type, document, part, representation, sort_key, body) "
        "SELECT file_id, namespace_id, package_id, type, 'more', part, representation, sort_key, body FROM entry"
    )
    problems = await yard.problems()
    assert problems[0].startswith("alice/toy/crane.toy: it shows in more (line), where it does not belong.")


@pytest.mark.parametrize("column", ["body", "sort_key"])
async def test_an_entry_that_says_something_else_is_found(yard: Yard, column: str) -> None:
    await yard.upload("crane")
    await execute(f"UPDATE entry SET {column} = $1", b"something else")
    [problem] = await yard.problems()
    assert problem.startswith("alice/toy/crane.toy: its entry in all (line) is not what the file says.")


async def test_entries_of_an_older_plugin_are_made_anew_by_a_start(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    await yard.upload("crane")
    monkeypatch.setattr(ToyType, "entry_version", 2)
    [problem] = await yard.problems()
    assert problem == "alice/toy/crane.toy: its index entries are of version 1, but the plugin makes version 2. Start the server: it makes them anew."


async def test_a_document_without_a_head_is_found(yard: Yard) -> None:
    await yard.upload("crane")
    await execute("DELETE FROM change")
    await execute("DELETE FROM head WHERE document = 'all'")
    [problem] = await yard.problems()
    assert problem.startswith("alice/toy, label main: nothing counts the changes of all, so installers do not see it.")


async def test_a_change_that_was_not_logged_is_found_unless_the_log_was_pruned(yard: Yard) -> None:
    await yard.upload("crane")
    await execute("DELETE FROM change")
    [problem] = await yard.problems()
    assert problem.startswith("alice/toy, label main, crane: its change of all was not logged")
    await execute("UPDATE head SET pruned = generation")
    assert await yard.problems() == []


async def test_files_of_a_plugin_that_is_not_loaded_are_checked_but_for_their_entries(yard: Yard) -> None:
    sha256 = await yard.upload("crane")
    lose(yard.site, sha256)
    report = await check(yard.site.storage, Registry.of({}))
    assert len(report.problems) == 1
    assert report.notes == ["Files whose type no loaded plugin has, so that their index entries were not looked at: 1."]


async def test_a_check_beside_uploads_and_removals_finds_nothing_wrong(yard: Yard) -> None:
    busy = True

    async def trade(trader: int) -> int:
        count = 0
        while busy:
            name = f"t{trader}n{count % 7}"
            await yard.upload(name, filling=bytes([trader, count % 5]))
            await remove_file(yard.site, actor=yard.alice, namespace="alice", type="toy", path=f"{name}.toy")
            count += 1
        return count

    traders = [asyncio.ensure_future(trade(number)) for number in range(4)]
    end = time.monotonic() + 2
    checks = 0
    try:
        while time.monotonic() < end or checks < 3:
            report = await check(open_storage(yard.site.settings), yard.site.registry)
            assert report.problems == []
            checks += 1
    finally:
        busy = False
    assert min(await asyncio.gather(*traders)) > 0
    assert await yard.problems() == []
