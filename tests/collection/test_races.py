"""Collectors in processes of their own, which spare nothing, beside uploads: what was answered 201 and not removed is there."""

from __future__ import annotations

import asyncio
import hashlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from entrepot_process import eventually
from toy import build_toy

if TYPE_CHECKING:
    from .conftest import Yard

COLLECTOR = Path(__file__).with_name("collector.py")
UPLOADS = 400
UPLOADERS = 10


@contextmanager
def collecting(yard: Yard) -> Iterator[subprocess.Popen[str]]:
    """A collector at work on the yard's site; the block ends it."""
    command = [sys.executable, str(COLLECTOR), str(yard.house.site.settings.data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def removed_by(process: subprocess.Popen[str]) -> int:
    """Let a collector come to its end; how many blobs it has removed."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(out)


class Uploader:
    """Uploads the same bytes under its own names, looks whether they are there, and mostly removes them again."""

    def __init__(self, yard: Yard, body: bytes, number: int) -> None:
        self.yard = yard
        self.body = body
        self.number = number
        self.random = random.Random(number)
        self.answers: Counter[int] = Counter()
        self.kept: list[str] = []

    async def run(self, client: httpx.AsyncClient) -> None:
        while self.answers[201] < UPLOADS // UPLOADERS:
            basename = f"{self.number}-{self.answers[201]}.toy"
            response = await client.put(f"/upload/alice/{basename}", content=self.body)
            self.answers[response.status_code] += 1
            if response.status_code != 201:
                assert response.status_code == 503, response.text  # it was collected under way: to be sent again
                continue
            assert (await client.get(f"/toy/alice/files/{basename}")).content == self.body
            if self.random.random() < 0.05:
                self.kept.append(basename)
            else:
                await self.yard.remove(basename)


async def test_collectors_beside_hundreds_of_uploads_of_the_same_bytes_lose_none(yard: Yard) -> None:
    body = build_toy("crane")
    uploaders = [Uploader(yard, body, number) for number in range(UPLOADERS)]
    with collecting(yard) as first, collecting(yard) as second:
        async with yard.alice.client as client:
            await asyncio.gather(*(uploader.run(client) for uploader in uploaders))
        removed = await asyncio.to_thread(removed_by, first) + await asyncio.to_thread(removed_by, second)
    assert sum(uploader.answers[201] for uploader in uploaders) == UPLOADS
    assert removed > 10, "the collectors came too late to get in anybody's way"
    kept = [basename for uploader in uploaders for basename in uploader.kept]
    assert kept
    async with yard.alice.client as client:
        for basename in kept:
            assert (await client.get(f"/toy/alice/files/{basename}")).content == body
            assert (await client.get(f"/toy/alice/notes/{basename}")).content == b"note of crane"
    assert await yard.sound()


async def test_a_collector_killed_at_any_point_leaves_what_the_next_one_and_any_upload_can_work_with(yard: Yard) -> None:
    bodies = {f"{number}.toy": build_toy(f"toy-{number}") for number in range(60)}
    digests = {hashlib.sha256(body).hexdigest() for body in bodies.values()}
    for kill_at in (1, 20, 40):
        for basename, body in bodies.items():
            await yard.alice.has(basename, body)
        for basename in bodies:
            await yard.remove(basename)
        with collecting(yard) as victim:
            await asyncio.to_thread(eventually, lambda: len(yard.stored() & digests) <= len(bodies) - kill_at)  # noqa: B023
            victim.kill()
        again = dict(list(bodies.items())[::2])
        for basename, body in again.items():  # some meet `deleting`, some no row, some their bytes
            await yard.alice.has(basename, body)
        async with yard.alice.client as client:
            for basename, body in again.items():
                assert (await client.get(f"/toy/alice/files/{basename}")).content == body
        await yard.collect(hours=-1)
        assert len(yard.stored()) == len(await yard.states()) == 2 * len(again)
        assert await yard.sound()
        for basename in again:
            await yard.remove(basename)
