"""The two small machines below the index engine."""

from __future__ import annotations

import asyncio
import gzip

import pytest
import zstandard
from entrepot.services.cache import ByteCache
from entrepot.services.flights import Flights
from entrepot.services.renderings import JOIN_BELOW, encoded, rendering
from hypothesis import given
from hypothesis import strategies as st

steps = st.lists(st.tuples(st.sampled_from(["put", "get", "drop"]), st.integers(0, 9), st.integers(0, 60)), max_size=60)


@given(steps=steps)
def test_a_cache_never_holds_more_than_its_bound_and_forgets_the_least_recently_used_first(steps: list[tuple[str, int, int]]) -> None:
    cache: ByteCache[int] = ByteCache(100)
    model: dict[int, tuple[int, int]] = {}  # in the order of their last use
    for number, (step, key, cost) in enumerate(steps):
        if step == "get":
            assert cache.get(key) == (model[key][0] if key in model else None)
            if key in model:
                model[key] = model.pop(key)
        else:
            model.pop(key, None)
            cache.drop(key) if step == "drop" else cache.put(key, number, cost)
            if step == "put":
                model[key] = number, cost
                while sum(kept for _, kept in model.values()) > 100:
                    del model[next(iter(model))]
        assert cache.size == sum(kept for _, kept in model.values()) <= 100
        assert len(cache) == len(model)


def test_a_value_that_costs_more_than_everything_is_not_kept_and_replaces_what_was() -> None:
    cache: ByteCache[str] = ByteCache(10)
    cache.put("a", "small", 1)
    cache.put("a", "huge", 11)
    assert (cache.get("a"), cache.size) == (None, 0)


async def test_work_that_has_ended_is_not_joined_though_it_has_not_landed() -> None:
    """Who asks until the result is new enough would else ask for ever, and hold up the event loop that lands it."""
    flights: Flights[int] = Flights()
    begin = asyncio.get_running_loop().create_future()
    results = iter([1, 2])

    async def work() -> int:
        result = next(results)
        if result == 1:
            await begin
        return result

    first = asyncio.create_task(flights.join("a", work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    begin.set_result(None)  # in one turn of the loop the work ends, then the second asks; the next turn lands the work
    second = asyncio.create_task(flights.join("a", work))
    assert (await first, await second) == (1, 2)
    assert len(flights) == 0


@pytest.mark.parametrize("waiters", [1, 20])
async def test_work_of_one_key_is_done_once_at_a_time(waiters: int) -> None:
    flights: Flights[int] = Flights()
    started = 0

    async def work() -> int:
        nonlocal started
        started += 1
        await asyncio.sleep(0)
        return started

    assert await asyncio.gather(*(flights.join("a", work) for _ in range(waiters))) == [1] * waiters
    assert started == 1
    await asyncio.gather(flights.join("a", work), flights.join("b", work), flights.join("a", work))
    assert started == 3


async def test_a_failure_reaches_everybody_who_waits_and_nobody_later() -> None:
    flights: Flights[int] = Flights()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("once")

    async def succeed() -> int:
        return 1

    results = await asyncio.gather(*(flights.join("a", fail) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["once"] * 3
    assert await flights.join("a", succeed) == 1


async def test_work_goes_on_when_everybody_who_waits_is_gone() -> None:
    flights: Flights[int] = Flights()
    done = asyncio.Event()
    going = asyncio.Event()

    async def work() -> int:
        await going.wait()
        done.set()
        raise ValueError("nobody hears this")

    waiters = [asyncio.create_task(flights.join("a", work)) for _ in range(3)]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    going.set()
    await asyncio.wait_for(done.wait(), 5)


@given(pieces=st.lists(st.binary(max_size=50)))
def test_a_rendering_is_its_pieces_and_its_etag_a_hash_of_them(pieces: list[bytes]) -> None:
    made = rendering(pieces, generation=1, media_type="text/plain")
    again = rendering([b"".join(pieces)], generation=2, media_type="text/plain")
    assert (made.size, made.etag) == (len(b"".join(pieces)), again.etag)
    assert b"".join(made.pieces) == b"".join(made.chunks()) == b"".join(pieces)


@pytest.mark.parametrize("size", [0, 1, 600, JOIN_BELOW, JOIN_BELOW + 1, 3 * JOIN_BELOW])
def test_an_encoding_decodes_to_the_same_and_is_made_alike_each_time(size: int) -> None:
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    plain = rendering([body[start : start + 10_000] for start in range(0, size, 10_000)], generation=3, media_type="text/plain")
    for name, decode in (("gzip", gzip.decompress), ("zstd", lambda raw: zstandard.ZstdDecompressor().decompress(raw, max_output_size=size + 1))):
        made = encoded(plain, name)
        assert decode(b"".join(made.pieces)) == body
        assert (made.encoding, made.generation, made.size) == (name, 3, len(b"".join(made.pieces)))
        assert made.etag == encoded(plain, name).etag != plain.etag


def test_a_rendering_that_shares_its_bytes_costs_little_and_one_that_does_not_costs_them() -> None:
    parts = [bytes([number]) * 75_000 for number in range(20)]  # few are counted for themselves
    sharing = rendering(parts, generation=1, media_type="x", shared=parts)
    copying = rendering([bytes(bytearray(part)) for part in parts], generation=1, media_type="x", shared=parts)
    assert sharing.cost < 1000
    assert copying.cost >= 1_500_000
