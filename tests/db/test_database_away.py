"""PostgreSQL that goes away and comes back: a clear 503 for whoever asks meanwhile, nothing lost, and no server that must be started anew."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest
from entrepot.registry import Registry
from house import House, Person, open_house, sentence
from postgres_server import PostgresServer
from toy import ToyPlugin, build_toy, line_of

QUERY = {"query": "{ packages { totalCount } }"}


@pytest.fixture
async def house(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[House]:
    """A house on a PostgreSQL that may be stopped."""
    async with open_house(tmp_path / "house", Registry.of({"toy": ToyPlugin()}), database_url=postgres.url()) as opened:
        yield opened


async def stop(postgres: PostgresServer) -> None:
    await anyio.to_thread.run_sync(postgres.stop)


async def kill(postgres: PostgresServer) -> None:
    await anyio.to_thread.run_sync(postgres.kill)


async def start(postgres: PostgresServer) -> None:
    await anyio.to_thread.run_sync(postgres.start)


@pytest.mark.parametrize("end", [stop, kill])
async def test_everything_is_503_while_it_is_away_and_works_when_it_is_back(
    house: House, alice: Person, postgres: PostgresServer, end: object
) -> None:
    ball, car = build_toy("ball"), build_toy("car")
    await alice.has("ball.toy", ball)
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("ball.toy", ball)  # at hand from here on
    await (stop if end is stop else kill)(postgres)
    for _ in range(2):
        for path in ("/toy/alice/listing", "/toy/alice/shards", "/toy/alice/page/ball", "/toy/alice/files/ball.toy"):
            response = await house.anyone.get(path)
            assert "database" in sentence(response, 503)
            assert response.headers["retry-after"] == "1"
        assert "database" in sentence(await alice.put("car.toy", car), 503)
        assert (await alice.client.post("/graphql", json=QUERY)).status_code == 503  # who asks cannot be told
        anonymous = (await house.anyone.post("/graphql", json=QUERY)).json()
        assert [error["extensions"]["code"] for error in anonymous["errors"]] == ["UNAVAILABLE"]
        assert "database" in anonymous["errors"][0]["message"]
    await start(postgres)
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("ball.toy", ball)
    assert (await house.anyone.get("/toy/alice/files/ball.toy")).content == ball
    await alice.has("car.toy", car)
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("ball.toy", ball) + line_of("car.toy", car)
    assert (await house.anyone.post("/graphql", json=QUERY)).json() == {"data": {"packages": {"totalCount": 2}}}


async def test_it_is_killed_in_the_middle_of_uploads_and_reads_and_comes_back(house: House, alice: Person, postgres: PostgresServer) -> None:
    statuses: Counter[int] = Counter()
    taken: dict[str, bytes] = {}
    downs, done = 0, False

    async def publish(trader: int) -> None:
        number = 0
        while not done:
            number += 1
            basename, body = f"t{trader}n{number}.toy", build_toy(f"toy{number % 5}", f"{trader}.{number}")
            while True:  # a client that tries again until it is taken: what is in doubt is 200 then
                response = await alice.put(basename, body)
                statuses[response.status_code] += 1
                assert response.status_code in (200, 201, 503), response.text
                if response.status_code != 503:
                    break
                await anyio.lowlevel.checkpoint()
            taken[basename] = body

    async def read() -> None:
        while not done:
            known = dict(taken)
            response = await house.anyone.get("/toy/alice/listing")
            assert response.status_code in (200, 404, 503), response.text
            statuses[-response.status_code] += 1
            if response.status_code == 200:
                lines = set(response.text.splitlines(keepends=True))
                assert {line_of(basename, body) for basename, body in known.items()} <= lines, "an answer is older than an upload that was taken"

    async def disturb() -> None:
        nonlocal downs, done
        for how in (kill, stop, kill):
            goal, lost = len(taken) + 20, statuses[503]
            while len(taken) < goal:
                await anyio.lowlevel.checkpoint()
            await how(postgres)
            while statuses[503] < lost + 5:
                await anyio.lowlevel.checkpoint()
            await start(postgres)
            downs += 1
        goal = len(taken) + 20
        while len(taken) < goal:
            await anyio.lowlevel.checkpoint()
        done = True

    async with asyncio.timeout(300), asyncio.TaskGroup() as group:
        for trader in range(5):
            group.create_task(publish(trader))
        for _ in range(3):
            group.create_task(read())
        group.create_task(disturb())
    assert downs == 3
    assert statuses[503] >= 15
    listing = (await house.anyone.get("/toy/alice/listing")).text
    assert set(listing.splitlines(keepends=True)) == {line_of(basename, body) for basename, body in taken.items()}
    for basename, body in list(taken.items())[:20]:
        assert (await house.anyone.get(f"/toy/alice/files/{basename}")).content == body
    from entrepot.services.checks import check

    report = await check(house.site.storage, house.site.registry)
    assert report.problems == []


async def test_sessions_that_an_operator_ends_cost_nobody_more_than_a_503(house: House, alice: Person, postgres: PostgresServer) -> None:
    import asyncpg

    operator = await asyncpg.connect(postgres.url())

    async def end_all() -> None:
        await operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'entrepot%'")

    taken = []
    for number in range(10):
        answers: list[httpx.Response] = []
        uploads = [asyncio.create_task(alice.put(f"{number}-{which}.toy", build_toy(f"toy{which}", str(number)))) for which in range(4)]
        for _ in range(number):
            await anyio.lowlevel.checkpoint()
        await end_all()
        answers += await asyncio.gather(*uploads)
        assert {answer.status_code for answer in answers} <= {201, 503}
        taken += [answer.json()["path"] for answer in answers if answer.status_code == 201]
        assert (await house.anyone.get("/toy/alice/listing")).status_code in (200, 404)  # what was lost unnoticed is asked again
    await operator.close()
    listing = (await house.anyone.get("/toy/alice/listing")).text
    assert all(f"{path} " in listing for path in taken)
    await alice.has("last.toy", build_toy("last"))
