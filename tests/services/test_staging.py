"""Staged uploads in two steps, as the anaconda client takes them: the bytes first, the commit later."""

from __future__ import annotations

import asyncio

import pytest
from entrepot.clock import now
from entrepot.db.sql import execute, fetch
from entrepot.errors import Conflict, NotFound, TooLarge, ValidationError
from entrepot.services.staging import Announced, Terms, announce, expire, finish, receiving
from house import House, Person
from toy import build_toy, line_of

BALL = build_toy("ball")


async def staged(house: House, alice: Person, **terms: object) -> Announced:
    return await announce(house.site, actor=alice.actor, namespace="alice", basename="ball.toy", terms=Terms(package="ball", **terms))  # type: ignore[arg-type]


async def keep(house: House, upload: Announced, body: bytes) -> None:
    async with receiving(house.site, secret=upload.secret, declared_size=len(body)) as reception:
        await reception.write(body)
        await reception.keep()


async def listing(house: House) -> str:
    return (await house.anyone.get("/toy/alice/listing")).text


async def test_bytes_that_were_kept_are_published_when_the_upload_is_finished(house: House, alice: Person) -> None:
    upload = await staged(house, alice, size=len(BALL))
    await keep(house, upload, BALL)
    assert await listing(house) == ""
    assert await house.rows() == {"head": 1}
    assert (await finish(house.site, secret=upload.secret)).created
    assert await listing(house) == line_of("ball.toy", BALL)
    with pytest.raises(Conflict, match="has been used"):
        await finish(house.site, secret=upload.secret)
    with pytest.raises(Conflict, match="has been used"):
        await keep(house, upload, BALL)


async def test_without_bytes_there_is_nothing_to_finish(house: House, alice: Person) -> None:
    upload = await staged(house, alice)
    with pytest.raises(Conflict, match="have not arrived"):
        await finish(house.site, secret=upload.secret)
    with pytest.raises(ValidationError, match="is empty"):
        await keep(house, upload, b"")
    assert await house.left() == {}


async def test_bytes_that_are_sent_again_replace_those_that_were_kept(house: House, alice: Person) -> None:
    upload = await staged(house, alice)
    await keep(house, upload, build_toy("kite"))
    with pytest.raises(ValidationError, match="The file says that it is kite"):
        await finish(house.site, secret=upload.secret)
    await keep(house, upload, BALL)
    await finish(house.site, secret=upload.secret)
    assert await listing(house) == line_of("ball.toy", BALL)


async def test_bytes_that_are_not_the_announced_ones_are_not_kept(house: House, alice: Person) -> None:
    upload = await staged(house, alice, size=len(BALL), sha256="0" * 64)
    with pytest.raises(ValidationError, match="announced with"):
        await keep(house, upload, BALL + b"x")
    with pytest.raises(ValidationError, match="not the 0000"):
        await keep(house, upload, BALL)
    assert [row["sha256"] for row in await fetch("SELECT sha256 FROM staged_upload")] == [None]


async def test_of_two_who_finish_at_once_one_does(house: House, alice: Person) -> None:
    upload = await staged(house, alice)
    await keep(house, upload, BALL)
    results = await asyncio.gather(*(finish(house.site, secret=upload.secret) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "PublishedFile"]


async def test_an_upload_that_ended_is_forgotten_a_day_later(house: House, alice: Person) -> None:
    old, young = await staged(house, alice), await staged(house, alice)
    assert await expire() == 0
    await execute("UPDATE staged_upload SET expires_at = $1 WHERE uuid = $2", now() - 90_000_000, old.id)
    assert await expire() == 1
    with pytest.raises(NotFound):
        await keep(house, old, BALL)
    await keep(house, young, BALL)
    assert await expire(older_than=-4_000_000) == 1


async def test_more_than_the_server_takes_is_refused_when_it_is_announced(house: House, alice: Person) -> None:
    with pytest.raises(TooLarge):
        await staged(house, alice, size=house.site.settings.max_upload + 1)
