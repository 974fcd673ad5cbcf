"""An object store that goes away in the middle of anything, and comes back: a clear 503, nothing lost, no restart."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from entrepot.errors import Unavailable
from entrepot.http.contents import BrokenOff
from entrepot.registry import Registry
from entrepot.services.checks import check
from house import House, Person, open_house, sentence
from object_store import ObjectStore, object_store
from toy import ToyPlugin, build_toy

AWAY = "The object store that holds the files cannot be used just now"
SMALL = build_toy("small")
LARGE = build_toy("large", filling=os.urandom(30_000_000))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A store of this module's own."""
    with object_store(tmp_path_factory.mktemp("store")) as opened:
        yield opened


@pytest.fixture
def place(store: ObjectStore) -> dict[str, Any]:
    return {**store.place(), "downloads": "stream"}


@pytest.fixture
async def house(tmp_path: Path, place: dict[str, Any]) -> AsyncIterator[House]:
    async with open_house(tmp_path / "data", Registry.of({"toy": ToyPlugin()}), **place) as opened:
        yield opened


async def served(house: House) -> list[str]:
    """The files that the index shows."""
    return [line for line in (await house.anyone.get("/toy/alice/listing")).text.splitlines() if line]


async def test_an_upload_is_503_leaves_nothing_and_is_taken_when_the_store_is_back(house: House, alice: Person, store: ObjectStore) -> None:
    await alice.has("first.toy", build_toy("first"))
    before, index = await house.left(), await served(house)
    with store.away():
        for basename, body in (("small.toy", SMALL), ("large.toy", LARGE)):
            begun = time.monotonic()
            response = await alice.put(basename, body)
            assert AWAY in sentence(response, 503)
            assert response.headers["retry-after"]
            assert time.monotonic() - begun < 8
        assert await house.left() == before
        assert await served(house) == index
    for basename, body in (("small.toy", SMALL), ("large.toy", LARGE)):
        made = await alice.has(basename, body)
        assert (await house.anyone.get(made["url"])).content == body


async def test_indexes_and_what_is_in_memory_are_served_while_files_are_503(house: House, alice: Person, store: ObjectStore) -> None:
    remembered, small, large = [await alice.has(f"{n}.toy", build_toy(n, filling=f)) for n, f in (("a", b""), ("b", b""), ("c", bytes(100_000)))]
    assert (await house.anyone.get(remembered["url"])).status_code == 200
    index = await served(house)
    assert len(index) == 3
    with store.away():
        assert await served(house) == index
        assert (await house.anyone.get(remembered["url"])).content == build_toy("a")
        for made in (small, large):
            for headers in ({}, {"range": "bytes=5-"}):
                assert AWAY in sentence(await house.anyone.get(made["url"], headers=headers), 503)
        assert (await house.anyone.head(large["url"])).headers["content-length"] == str(large["size"])
    for made in (small, large):
        assert len((await house.anyone.get(made["url"])).content) == made["size"]


async def test_a_store_that_does_not_answer_is_503_within_seconds_and_holds_nobody_else_up(house: House, alice: Person, store: ObjectStore) -> None:
    made = await alice.has("file.toy", build_toy("file", filling=bytes(100_000)))
    begun = time.monotonic()
    with store.frozen():
        waiting = [asyncio.ensure_future(alice.put(f"w{number}.toy", build_toy(f"w{number}"))) for number in range(40)]
        waiting.append(asyncio.ensure_future(alice.put("large.toy", LARGE)))
        waiting.append(asyncio.ensure_future(house.anyone.get(made["url"])))
        slowest = 0.0
        while not all(one.done() for one in waiting):
            asked = time.monotonic()
            assert len(await served(house)) == 1
            slowest = max(slowest, time.monotonic() - asked)
            await asyncio.wait(waiting, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        took = time.monotonic() - begun
        assert {(await one).status_code for one in waiting} == {503}
    assert took < 25
    assert slowest < 2
    assert (await house.anyone.get(made["url"])).status_code == 200
    assert (await alice.put("w1.toy", build_toy("w1"))).status_code == 201


async def test_a_store_that_goes_in_the_middle_of_an_upload_leaves_nothing(house: House, alice: Person, store: ObjectStore) -> None:
    before = await house.left()
    sent = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(LARGE), 1 << 20):
            yield LARGE[start : start + (1 << 20)]
        sent.set()

    upload = asyncio.ensure_future(alice.client.put("/upload/alice/large.toy", content=body()))
    await sent.wait()
    with store.away():
        assert AWAY in sentence(await upload, 503)
        assert await house.left() == before
    made = await alice.has("large.toy", LARGE)
    assert (await house.anyone.get(made["url"])).content == LARGE


async def test_a_store_that_goes_in_the_middle_of_a_download_breaks_it_off_and_a_client_can_go_on(
    house: House, alice: Person, store: ObjectStore
) -> None:
    made = await alice.has("large.toy", LARGE)
    got = bytearray()
    gone = False

    async def send(message: dict[str, Any]) -> None:
        nonlocal gone
        got.extend(message.get("body", b""))
        if len(got) > 1_000_000 and not gone:
            gone = True
            await asyncio.to_thread(store.kill)

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    path = "/toy/alice/files/large.toy"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
    try:
        with pytest.raises(BrokenOff, match=AWAY):
            await house.app(scope, receive, send)  # type: ignore[arg-type]
    finally:
        await asyncio.to_thread(store.start)
    assert 1_000_000 < len(got) < len(LARGE)
    rest = await house.anyone.get(made["url"], headers={"range": f"bytes={len(got)}-", "if-range": f'"{made["sha256"]}"'})
    assert (rest.status_code, bytes(got) + rest.content) == (206, LARGE)


async def test_a_download_goes_on_by_itself_when_the_store_hiccups(house: House, alice: Person, store: ObjectStore) -> None:
    made = await alice.has("large.toy", LARGE)
    got, restarted = bytearray(), False
    async for chunk in house.site.storage.chunks(made["sha256"], 0, len(LARGE)):
        got += chunk
        if not restarted:
            restarted = True
            await asyncio.to_thread(store.kill)
            await asyncio.to_thread(store.start)
    assert bytes(got) == LARGE


async def test_a_server_starts_while_the_store_is_away_and_serves_files_when_it_comes(
    tmp_path: Path, place: dict[str, Any], store: ObjectStore
) -> None:
    registry = Registry.of({"toy": ToyPlugin()})
    async with open_house(tmp_path / "data", registry, **place) as house:
        alice = await house.person("alice")
        made = await alice.has("file.toy", SMALL)
    store.kill()
    try:
        async with open_house(tmp_path / "data", registry, **place) as house:
            assert (await served(house)) != []
            assert AWAY in sentence(await house.anyone.get(made["url"]), 503)
            with pytest.raises(Unavailable):
                house.site.storage.probe()
            await asyncio.to_thread(store.start)
            house.site.storage.probe()
            assert (await house.anyone.get(made["url"])).content == SMALL
    finally:
        store.kill()
        store.start()


async def test_a_check_while_the_store_is_away_says_so_and_accuses_no_file(house: House, alice: Person, store: ObjectStore) -> None:
    await alice.has("small.toy", SMALL)
    with store.away(), pytest.raises(Unavailable, match=AWAY):
        await check(house.site.storage, house.site.registry)
    assert (await check(house.site.storage, house.site.registry)).problems == []
