"""Which changes wait for each other on PostgreSQL, and which do not. (On SQLite each waits for every other.)"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import asyncpg
import pytest
from entrepot.db.sql import fetch
from entrepot.errors import NotFound
from entrepot.services import labels, states
from entrepot.services.files import remove_file
from ground import Ground, laid
from house import House, Person
from other_host import Other, waits
from toy import build_toy, line_of


@pytest.fixture
def ground() -> Iterator[Ground]:
    """PostgreSQL: that is what these tests are about."""
    with laid("fleet") as ground:
        yield ground


@pytest.fixture
async def other(house: House, ground: Ground) -> AsyncIterator[Other]:
    connection = await asyncpg.connect(ground.environment["ENTREPOT_DATABASE_URL"])
    yield Other(connection)
    await connection.close()


async def generations() -> dict[str, int]:
    return {row["label"]: row["generation"] for row in await fetch("SELECT label, generation FROM head WHERE document = 'all'")}


async def text(house: House, label: str) -> str:
    response = await house.anyone.get(f"/toy/alice/label/{label}/listing")
    return response.text if response.status_code == 200 else ""


async def test_a_label_on_a_file_that_another_host_is_removing_waits_and_then_finds_none(house: House, alice: Person, other: Other) -> None:
    """Without the wait, the head of the label would be bumped before the removal, and nobody would bump it after: stale for ever."""
    ball = build_toy("ball")
    await alice.has("ball.toy", ball)
    await alice.has("car.toy", build_toy("car"), labels=["dev"])
    await other.holds("ball")  # it has collected the heads of ball.toy: those of main
    change: dict[str, Any] = {"actor": alice.actor, "namespace": "alice", "type": "toy", "path": "ball.toy"}
    task = asyncio.create_task(labels.add_label(house.site, **change, label="dev"))
    await waits(task)
    before = await generations()
    await other.run("DELETE FROM file WHERE path = 'ball.toy'")
    await other.run("UPDATE head SET generation = generation + 1 WHERE label = 'main' AND document = 'all'")
    await other.run(
        """INSERT INTO change (head_id, generation, part, changed_at)
        SELECT id, generation, 'ball', 0 FROM head WHERE label = 'main' AND document = 'all'"""
    )
    await other.run("COMMIT")
    with pytest.raises(NotFound):
        await task
    assert await generations() == {**before, "main": before["main"] + 1}
    assert line_of("ball.toy", ball) not in await text(house, "dev")
    assert await text(house, "main") == ""


@pytest.mark.parametrize("what", ["publish", "remove", "unlabel", "state"])
async def test_a_change_of_a_package_waits_for_another_one_of_the_same_package(house: House, alice: Person, other: Other, what: str) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    change: dict[str, Any] = {"actor": alice.actor, "namespace": "alice", "type": "toy"}
    work = {
        "publish": lambda: alice.has("ball-2.toy", build_toy("ball", "2")),
        "remove": lambda: remove_file(house.site, **change, path="ball.toy"),
        "unlabel": lambda: labels.remove_label(house.site, **change, path="ball.toy", label="main"),
        "state": lambda: states.set_state(house.site, **change, name="ball", action="toy.rate", package_state={"stars": 5}),
    }[what]
    await other.holds("ball")
    task: asyncio.Task[Any] = asyncio.ensure_future(work())  # type: ignore[no-untyped-call]
    await waits(task)
    await other.run("COMMIT")
    with anyio.fail_after(20):
        await task


async def test_a_publication_does_not_wait_for_other_packages_of_the_namespace(house: House, alice: Person, other: Other) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    await other.holds("ball")
    with anyio.fail_after(20):
        await alice.has("car.toy", build_toy("car"))
        await alice.has("boat.toy", build_toy("boat"), labels=["new"])
        await remove_file(house.site, actor=alice.actor, namespace="alice", type="toy", path="car.toy")
    await other.run("ROLLBACK")


async def test_a_publication_waits_for_who_means_the_whole_namespace(house: House, alice: Person, other: Other) -> None:
    await other.run("BEGIN")
    await other.run("UPDATE namespace SET replace = 'never' WHERE name = 'alice'")
    task = asyncio.create_task(alice.has("ball.toy", build_toy("ball")))
    await waits(task)
    await other.run("COMMIT")
    with anyio.fail_after(20):
        await task


async def test_a_file_of_a_package_that_another_host_is_rating_is_rated_too(house: House, alice: Person, other: Other) -> None:
    """The state is read after the wait, not before: else the new file's entries would say what held until then."""
    await alice.has("ball.toy", build_toy("ball"))
    await other.holds("ball")
    task = asyncio.create_task(alice.has("ball-2.toy", build_toy("ball", "2")))
    await waits(task)
    await other.run("""UPDATE binding SET state = '{"stars": 5}'""")
    await other.run("COMMIT")
    with anyio.fail_after(20):
        await task
    from entrepot.services.checks import check

    report = await check(house.site.storage, house.site.registry)
    assert [problem.subject for problem in report.problems] == [
        "alice/toy/ball.toy"
    ]  # the other host has restated nothing here; the new file is right


async def test_first_files_of_one_package_by_many_at_once_are_all_taken(house: House, alice: Person) -> None:
    async def one(number: int) -> None:
        await alice.has(f"{number}.toy", build_toy("ball", str(number)), labels=["main", "new", "dev"])

    with anyio.fail_after(60):
        async with asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(one(number))
    assert len((await text(house, "dev")).splitlines()) == 12
