"""State restates entries: of the files that it touches, in the channels that show them, in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from entrepot.db.sql import fetch
from entrepot.errors import NotFound, PermissionDenied, ValidationError
from entrepot.plugin import Entry, PackageEvent, StoredFile, hookimpl
from entrepot.registry import Registry
from entrepot.services.checks import check
from entrepot.services.states import restate_outdated, set_state
from house import House, Person, open_house
from plugin_builder import plugin
from toy import ToyType, build_toy


async def generations() -> dict[str, int]:
    return {f"{row['label']}": row["generation"] for row in await fetch("SELECT label, generation FROM head WHERE document = 'all'")}


async def listing(house: House, label: str = "main") -> list[str]:
    return [line.replace(line.split()[1], "…") for line in (await house.anyone.get(f"/toy/alice/label/{label}/listing")).text.splitlines()]


@pytest.fixture
async def toys(alice: Person) -> None:
    """Two balls, one of them in dev alone, and a car."""
    await alice.has("ball-1.toy", build_toy("ball", "1"))
    await alice.has("ball-2.toy", build_toy("ball", "2"), labels=["dev"])
    await alice.has("car.toy", build_toy("car"))


@pytest.mark.usefixtures("toys")
async def test_the_state_of_a_package_shows_in_every_file_of_it_and_bumps_the_channels_that_have_one(house: House, alice: Person) -> None:
    before = await generations()
    await set_state(house.site, actor=alice.actor, namespace="Alice", type="toy", name="ball", action="toy.rate", package_state={"stars": 5})
    assert await listing(house) == ["ball-1.toy … stars=5", "car.toy …"]
    assert await listing(house, "dev") == ["ball-2.toy … stars=5"]
    assert await generations() == {label: number + 1 for label, number in before.items()}


@pytest.mark.usefixtures("toys")
async def test_the_state_of_a_file_bumps_only_the_channels_that_show_it(house: House, alice: Person) -> None:
    before = await generations()
    await set_state(
        house.site, actor=alice.actor, namespace="alice", type="toy", name="ball", action="toy.yank", file_states={"ball-2.toy": {"yanked": "broken"}}
    )
    assert await listing(house) == ["ball-1.toy …", "car.toy …"]
    assert await listing(house, "dev") == ["ball-2.toy … yanked=broken"]
    assert await generations() == {"main": before["main"], "dev": before["dev"] + 1}


@pytest.mark.usefixtures("toys")
async def test_none_removes_a_key_and_the_same_again_bumps_nothing(house: House, alice: Person) -> None:
    def state(**changes: Any) -> Any:
        return set_state(house.site, actor=alice.actor, namespace="alice", type="toy", name="ball", action="toy.rate", package_state=changes)

    await state(stars=5, colour="red")
    await state(stars=None)
    assert await listing(house, "dev") == ["ball-2.toy … colour=red"]
    before = await generations()
    await state(stars=None, colour="red")
    assert await generations() == before


@pytest.mark.usefixtures("toys")
async def test_a_state_that_fails_anywhere_changes_nothing(house: House, alice: Person, bob: Person) -> None:
    before = await generations(), await house.left(), await fetch("SELECT state FROM binding"), await fetch("SELECT state FROM file")
    target: dict[str, Any] = {"namespace": "alice", "type": "toy", "action": "toy.rate"}
    with pytest.raises(NotFound, match=r"There is no file nothing\.toy in ball"):
        await set_state(
            house.site,
            actor=alice.actor,
            name="ball",
            package_state={"stars": 1},
            file_states={"ball-1.toy": {"a": 1}, "nothing.toy": {"a": 1}},
            **target,
        )
    with pytest.raises(ValidationError, match="JSON values only"):
        await set_state(house.site, actor=alice.actor, name="ball", package_state={"stars": object()}, **target)
    with pytest.raises(PermissionDenied):
        await set_state(house.site, actor=bob.actor, name="ball", package_state={"stars": 1}, **target)
    with pytest.raises(NotFound):
        await set_state(house.site, actor=alice.actor, name="nothing", package_state={"stars": 1}, **target)
    with pytest.raises(ValidationError, match="no package type"):
        await set_state(house.site, actor=alice.actor, name="ball", package_state={}, **{**target, "type": "x"})
    assert (await generations(), await house.left(), await fetch("SELECT state FROM binding"), await fetch("SELECT state FROM file")) == before


async def test_a_private_package_does_not_exist_for_others(house: House, alice: Person, bob: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"), private="true")
    with pytest.raises(NotFound):
        await set_state(house.site, actor=bob.actor, namespace="alice", type="toy", name="ball", action="toy.rate", package_state={})


@pytest.mark.usefixtures("toys")
async def test_states_set_at_once_are_all_kept(house: House, alice: Person) -> None:
    await asyncio.gather(
        *(
            set_state(house.site, actor=alice.actor, namespace="alice", type="toy", name="ball", action="toy.rate", package_state={f"k{n}": n})
            for n in range(8)
        )
    )
    assert await listing(house, "dev") == ["ball-2.toy … " + " ".join(f"k{n}={n}" for n in range(8))]


# -- a newer plugin ---------------------------------------------------------------------------------------------------


class NewToy(ToyType):
    """Toys whose entries end in an exclamation mark; the second car has become impossible."""

    entry_version = 2

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        if file.path == "car-2.toy":
            raise RuntimeError("no entry can be made of this any more")
        return [Entry("all", {"line": super().entries(file)[0].representations["line"].replace(b"\n", b" !\n")})]


@pytest.fixture
def events() -> list[PackageEvent]:
    return []


@pytest.fixture
def registries(events: list[PackageEvent]) -> tuple[Registry, Registry]:
    class Listening:
        @hookimpl
        def package_changed(self, event: PackageEvent) -> None:
            events.append(event)

    return Registry.of({"toy": plugin(package_types=[ToyType()])}), Registry.of({"toy": plugin(package_types=[NewToy()]), "ear": Listening()})


async def test_a_newer_type_restates_every_file_at_start_and_each_once(
    house_data: Path, registries: tuple[Registry, Registry], caplog: pytest.LogCaptureFixture
) -> None:
    old, new = registries
    async with open_house(house_data, old) as house:
        alice = await house.person("alice")
        for number in range(3):
            await alice.has(f"car-{number}.toy", build_toy("car", str(number)))
        await alice.has("ball.toy", build_toy("ball"), labels=["dev"])
    with caplog.at_level(logging.ERROR, "entrepot"):
        async with open_house(house_data, new) as house:
            assert await listing(house) == ["car-0.toy … !", "car-1.toy … !", "car-2.toy …"]
            assert await listing(house, "dev") == ["ball.toy … !"]
            before = await generations()
            assert await restate_outdated(house.site) == 0
            assert await generations() == before
            report = await check(house.site.storage, new)
            assert [problem.subject for problem in report.problems] == ["alice/toy/car-2.toy"]
    assert "cannot make the entries of alice/car-2.toy" in caplog.text


async def test_more_files_than_one_page_are_restated(house_data: Path, registries: tuple[Registry, Registry]) -> None:
    old, new = registries
    async with open_house(house_data, old) as house:
        alice = await house.person("alice")
        await asyncio.gather(*(alice.has(f"{number}.toy", build_toy(f"toy{number % 7}", str(number))) for number in range(210)))
    async with open_house(house_data, new) as house:
        lines = await listing(house)
        assert len(lines) == 210
        assert all(line.endswith(" !") for line in lines)


async def test_a_state_whose_entries_fail_is_not_set(house_data: Path, registries: tuple[Registry, Registry], events: list[PackageEvent]) -> None:
    old, new = registries
    async with open_house(house_data, old) as house:
        alice = await house.person("alice")
        for number in range(3):
            await alice.has(f"car-{number}.toy", build_toy("car", str(number)))
    async with open_house(house_data, new) as house:
        with pytest.raises(RuntimeError):
            await set_state(house.site, actor=alice.actor, namespace="alice", type="toy", name="car", action="toy.rate", package_state={"a": 1})
        assert await listing(house) == ["car-0.toy … !", "car-1.toy … !", "car-2.toy …"]
        assert events == []
        await set_state(
            house.site, actor=alice.actor, namespace="alice", type="toy", name="car", action="toy.rate", file_states={"car-0.toy": {"a": 1}}
        )
        assert [event.action for event in events] == ["toy.rate"]
