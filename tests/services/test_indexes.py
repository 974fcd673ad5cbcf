"""The index engine from outside: what is rendered, how often, in how much memory, and what happens when rendering fails."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.plugin import Parts, RenderContext
from entrepot.registry import Registry
from entrepot.services.files import remove_file
from entrepot.services.states import set_state
from house import House, Person, open_house, sentence
from plugin_builder import plugin
from toy import ToyType, build_toy, line_of

MIB = 1 << 20


class WatchedToy(ToyType):
    """A toy that counts its renderings, fails when told to, and can be held up."""

    def __init__(self) -> None:
        self.renderings: Counter[str] = Counter()
        self.failing = ""
        self.in_one_piece = False
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.opened.set()

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        self.renderings[f"{representation} {context.part}"] += 1
        if self.failing == context.part:
            raise RuntimeError("a fault of the plugin")
        return super().render_part(representation, context, entries)

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes]:
        self.renderings[representation] += 1
        self.reached.set()
        assert self.opened.wait(30)
        if self.failing == representation:
            raise RuntimeError("a fault of the plugin")
        pieces = super().render(representation, context, parts)
        return [b"".join(pieces)] if self.in_one_piece else pieces


@pytest.fixture
def toy() -> WatchedToy:
    return WatchedToy()


@pytest.fixture
async def watched(house_data: Path, toy: WatchedToy) -> AsyncIterator[House]:
    """A house of alice's, with a ball and a car."""
    async with open_house(house_data, Registry.of({"toy": plugin(package_types=[toy])}), cache=4 * MIB) as house:
        alice = await house.person("alice")
        await alice.has("ball.toy", build_toy("ball"))
        await alice.has("car.toy", build_toy("car"))
        yield house


async def text(house: House, path: str = "listing", **headers: str) -> str:
    response = await house.client(**headers).get(f"/toy/alice/{path}")
    assert response.status_code == 200, response.text
    return response.text


async def fill(house: House, name: str, size: int) -> None:
    """Give a toy a line of about that size."""
    state = {"filling": "x" * size}
    await set_state(house.site, actor=house.people["alice"].actor, namespace="alice", type="toy", name=name, action="toy.fill", package_state=state)


# -- how often --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_requests_at_once_are_answered_by_one_rendering(watched: House, toy: WatchedToy, encoding: str) -> None:
    answers = await asyncio.gather(*(text(watched, path, accept_encoding=encoding) for _ in range(30) for path in ("listing", "names", "page/ball")))
    assert len(set(answers)) == 3
    assert toy.renderings == {"listing": 1, "names": 1, "page ball": 2, "page car": 1}  # the listing and the page have a store of their own each


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
async def test_a_warm_document_is_not_rendered_and_not_even_looked_for(watched: House, toy: WatchedToy, encoding: str) -> None:
    for _ in range(3):
        await text(watched, accept_encoding=encoding)
        await text(watched, "page/ball", accept_encoding=encoding)
    assert toy.renderings == {"listing": 1, "page ball": 2, "page car": 1}
    head = await watched.site.lookup.head("alice", "toy", "main", "all")
    assert head is not None
    held = watched.site.indexes.held_document(head, "page", "listing", (), encoding if encoding != "identity" else "")
    assert held is not None  # also where it is too small to be worth compressing


async def test_a_change_renders_the_changed_part_alone(watched: House, toy: WatchedToy) -> None:
    await text(watched)
    toy.renderings.clear()
    await watched.people["alice"].has("ball-2.toy", build_toy("ball", "2"))
    assert line_of("ball-2.toy", build_toy("ball", "2")) in await text(watched)
    assert toy.renderings == {"listing": 1, "page ball": 1}


async def test_changes_that_undo_each_other_render_no_document(watched: House, toy: WatchedToy) -> None:
    before = await text(watched)
    toy.renderings.clear()
    alice = watched.people["alice"]
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await remove_file(watched.site, actor=alice.actor, namespace="alice", type="toy", path="ball-2.toy")
    assert await text(watched) == before
    assert toy.renderings == {"page ball": 1}


async def test_what_happens_to_private_packages_renders_nothing_for_who_does_not_see_them(watched: House, toy: WatchedToy) -> None:
    alice = watched.people["alice"]
    await alice.has("doll.toy", build_toy("doll"), private=True)
    public = await text(watched)
    toy.renderings.clear()
    await alice.has("doll-2.toy", build_toy("doll", "2"))
    assert await text(watched) == public
    assert toy.renderings["listing"] == 0
    assert "doll-2.toy" in (await alice.client.get("/toy/alice/listing")).text
    assert toy.renderings["listing"] == 1
    await remove_file(watched.site, actor=alice.actor, namespace="alice", type="toy", path="doll-2.toy")
    assert await text(watched) == public
    assert "doll-2.toy" not in (await alice.client.get("/toy/alice/listing")).text
    assert toy.renderings["listing"] == 2


async def test_a_request_that_is_given_up_does_not_stop_the_rendering_for_others(watched: House, toy: WatchedToy) -> None:
    toy.opened.clear()
    tasks = [asyncio.create_task(text(watched)) for _ in range(5)]
    await asyncio.to_thread(toy.reached.wait, 30)
    for task in tasks[:4]:
        task.cancel()
    toy.opened.set()
    assert "ball.toy" in await tasks[4]
    assert toy.renderings["listing"] == 1


async def test_a_rendering_that_takes_its_time_holds_nobody_else_up(watched: House, toy: WatchedToy) -> None:
    toy.opened.clear()
    slow = asyncio.create_task(text(watched))
    await asyncio.to_thread(toy.reached.wait, 30)
    assert await text(watched, "page/ball") == line_of("ball.toy", build_toy("ball"))
    assert await text(watched, "files/ball.toy") == build_toy("ball").decode()
    await watched.people["alice"].has("late.toy", build_toy("late"))
    assert not slow.done()
    toy.opened.set()
    assert "ball.toy" in await slow
    assert "late.toy" in await text(watched)


async def test_a_request_after_a_change_is_not_answered_by_a_rendering_from_before(watched: House, toy: WatchedToy) -> None:
    toy.opened.clear()
    early = asyncio.create_task(text(watched))
    await asyncio.to_thread(toy.reached.wait, 30)
    await watched.people["alice"].has("late.toy", build_toy("late"))
    after = asyncio.create_task(text(watched))
    await asyncio.sleep(0)
    toy.opened.set()
    assert "late.toy" in await after
    assert "ball.toy" in await early


# -- the change log ---------------------------------------------------------------------------------------------------


async def test_where_the_log_is_pruned_the_document_is_read_anew(watched: House) -> None:
    for path in ("listing", "shards", "names", "page/ball"):
        await text(watched, path)
    await watched.people["alice"].has("ball-2.toy", build_toy("ball", "2"))
    await watched.people["alice"].has("kite.toy", build_toy("kite"))
    await remove_file(watched.site, actor=watched.people["alice"].actor, namespace="alice", type="toy", path="car.toy")
    await execute("DELETE FROM change")
    await execute("UPDATE head SET pruned = generation")
    assert (await text(watched, "names")).split() == ["ball", "kite"]
    assert [line.split()[0] for line in (await text(watched)).splitlines()] == ["ball-2.toy", "ball.toy", "kite.toy"]
    assert [line.split()[0] for line in (await text(watched, "shards")).splitlines()] == ["ball", "kite"]
    assert len((await text(watched, "page/ball")).splitlines()) == 2


async def test_every_shard_that_an_index_names_is_stored_once_and_served(watched: House) -> None:
    for number in range(3):
        await watched.people["alice"].has(f"kite-{number}.toy", build_toy("kite", str(number)))
        for line in (await text(watched, "shards")).splitlines():
            name, digest = line.split()
            assert name in await text(watched, f"shard/{digest}")
    rows = await fetch("SELECT part, count(*) AS shards FROM shard GROUP BY part")
    assert {row["part"]: row["shards"] for row in rows} == {"ball": 1, "car": 1, "kite": 3}


async def test_a_shard_that_is_right_again_is_named_again(watched: House) -> None:
    first = await text(watched, "shards")
    alice = watched.people["alice"]
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    assert await text(watched, "shards") != first
    await remove_file(watched.site, actor=alice.actor, namespace="alice", type="toy", path="ball-2.toy")
    assert await text(watched, "shards") == first
    assert len(await fetch("SELECT 1 FROM shard")) == 3


# -- memory -----------------------------------------------------------------------------------------------------------


def held(house: House) -> int:
    """The bytes that are really held: every string once."""
    indexes: Any = house.site.indexes
    strings: dict[int, int] = {}
    for store, _ in indexes.stores._held.values():
        strings.update({id(part.body): len(part.body) for part in store.parts.values()})
        strings.update({id(piece): len(piece) for rendering in store.documents.values() for piece in rendering.pieces})
    for rendering, _ in indexes.parts._held.values():
        strings.update({id(piece): len(piece) for piece in rendering.pieces})
    return sum(strings.values())


async def test_no_mixture_of_requests_holds_more_than_the_bound(watched: House, toy: WatchedToy) -> None:
    alice = watched.people["alice"]
    for number in range(8):
        await alice.has(f"toy{number}.toy", build_toy(f"toy{number}"), labels=["main", f"l{number % 3}"])
        await fill(watched, f"toy{number}", 200_000)
    for round_number in range(2):
        for label in ("main", "l0", "l1", "l2"):
            for encoding in ("identity", "gzip", "zstd"):
                for path in ("listing", "shards", "names", "page/toy0", "page/toy3"):
                    await watched.client(accept_encoding=encoding).get(f"/toy/alice/label/{label}/{path}")
                    assert held(watched) <= 4 * MIB
            toy.in_one_piece = not toy.in_one_piece
        await alice.has(f"more{round_number}.toy", build_toy("more", str(round_number)))


async def test_documents_that_are_carried_over_still_count(watched: House) -> None:
    await fill(watched, "ball", 100_000)
    stores: Any = watched.site.indexes.stores
    await text(watched)
    before = stores.size
    alice = watched.people["alice"]
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await remove_file(watched.site, actor=alice.actor, namespace="alice", type="toy", path="ball-2.toy")
    await text(watched)
    assert stores.size == before


async def test_a_store_that_followed_changes_is_the_one_that_is_read_whole(watched: House) -> None:
    """What is held and what it costs are kept up with the changed parts alone."""
    alice = watched.people["alice"]
    insider = alice.client
    stores: Any = watched.site.indexes.stores

    async def settled() -> list[tuple[Any, ...]]:
        for path in ("listing", "shards"):
            assert (await insider.get(f"/toy/alice/{path}")).status_code == 200
        return [(key, store.generation, store.parts, list(store.names), store.private, store.size) for key, (store, _) in stores._held.items()]

    await settled()
    await alice.has("doll.toy", build_toy("doll"), private=True)
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await settled()
    await fill(watched, "doll", 5_000)
    await remove_file(watched.site, actor=alice.actor, namespace="alice", type="toy", path="car.toy")
    await settled()
    await fill(watched, "doll", 10)
    followed = await settled()
    assert {store[4] for store in followed} == {frozenset({"doll"})}
    for key in list(stores._held):
        stores.drop(key)
    assert await settled() == followed


async def test_a_document_that_finds_no_room_beside_its_parts_does_not_drive_them_out(watched: House, toy: WatchedToy) -> None:
    """Else every change would cost as much as the first rendering of all."""
    await fill(watched, "ball", 2 * MIB)
    toy.in_one_piece = True  # so that it shares nothing with its parts
    await text(watched)
    assert held(watched) < 3 * MIB
    await fill(watched, "car", 10)
    toy.renderings.clear()
    assert "xxx" in await text(watched)
    assert toy.renderings == {"listing": 1, "page car": 1}


async def test_a_document_larger_than_the_bound_is_served_all_the_same(watched: House) -> None:
    for name in ("ball", "car"):
        await fill(watched, name, 3 * MIB)
    for _ in range(2):
        assert len(await text(watched)) > 6 * MIB
        assert len(await text(watched, "page/ball")) > 3 * MIB
        assert held(watched) <= 4 * MIB


# -- large documents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_one_piece", [False, True])
@pytest.mark.parametrize("path", ["listing", "page/ball"])
async def test_a_document_over_a_mebibyte_is_sent_in_pieces(watched: House, toy: WatchedToy, in_one_piece: bool, path: str) -> None:
    toy.in_one_piece = in_one_piece
    await fill(watched, "ball", 2 * MIB)
    await fill(watched, "car", 700_000)
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    url = f"/toy/alice/{path}"
    await watched.app({"type": "http", "method": "GET", "path": url, "query_string": b"", "headers": []}, receive, send)
    bodies = [message["body"] for message in messages[1:]]
    assert len(bodies) > 4
    assert max(map(len, bodies)) <= 512 << 10
    whole = b"".join(bodies)
    assert dict(messages[0]["headers"])[b"content-length"] == str(len(whole)).encode()
    assert whole.decode() == await text(watched, path)
    assert await text(watched, path, accept_encoding="gzip") == await text(watched, path, accept_encoding="zstd") == whole.decode()
    part = await watched.anyone.get(url, headers={"range": f"bytes={MIB + 5}-{MIB + 300_000}"})
    assert (part.status_code, part.content) == (206, whole[MIB + 5 : MIB + 300_001])
    head = await watched.anyone.head(url)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole)))


# -- failure ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("failing", "path"), [("listing", "listing"), ("ball", "listing"), ("ball", "page/ball"), ("ball", "shards")])
async def test_a_rendering_that_fails_is_500_for_those_who_wait_and_forgotten(
    watched: House, toy: WatchedToy, failing: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    toy.failing = failing
    responses = await asyncio.gather(*(watched.anyone.get(f"/toy/alice/{path}", headers={"accept-encoding": "gzip"}) for _ in range(5)))
    for response in responses:
        assert "plugin" not in sentence(response, 500)
    assert "a fault of the plugin" in caplog.text
    assert await text(watched, "names") == "ball\ncar\n"
    toy.failing = ""
    assert "ball" in await text(watched, path, accept_encoding="gzip")


async def test_a_failure_after_a_change_does_not_bring_the_old_document_back(watched: House, toy: WatchedToy) -> None:
    await text(watched)
    await watched.people["alice"].has("ball-2.toy", build_toy("ball", "2"))
    toy.failing = "ball"
    assert (await watched.anyone.get("/toy/alice/listing")).status_code == 500
    toy.failing = ""
    assert "ball-2.toy" in await text(watched)


async def test_an_index_that_goes_away_under_its_readers_is_404_or_made_anew(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    await text(house)
    await execute("DELETE FROM shard")
    await execute("DELETE FROM change")
    await execute("DELETE FROM head")
    assert await text(house) == line_of("ball.toy", build_toy("ball"))
