"""An upload that ends in the middle: the client hangs up, the server stops. Nothing is left, and nobody writes to what was closed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from entrepot.plugin import Inspection
from entrepot.registry import Registry
from entrepot.services.uploads import incoming
from house import House, Person, open_files, open_house
from plugin_builder import plugin
from toy import ToyType, build_toy


class Gate:
    """Holds a thread up until the test lets it go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.left_with: list[bool] = []


def slow_toy(gate: Gate) -> ToyType:
    """A toy whose inspection waits at the gate, and then looks whether its file is still there."""

    class SlowToy(ToyType):
        def inspect(self, file: BinaryIO, basename: str) -> Inspection:
            gate.reached.set()
            assert gate.opened.wait(30)
            gate.left_with.append(os.path.exists(file.name))
            return super().inspect(file, basename)

    return SlowToy()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def slow_house(house_data: Path, gate: Gate) -> AsyncIterator[House]:
    async with open_house(house_data, Registry.of({"toy": plugin(package_types=[slow_toy(gate)])}), spool_memory=0) as house:
        await house.person("alice")
        yield house


async def test_a_cancelled_upload_waits_for_its_thread_before_it_clears_up(slow_house: House, gate: Gate) -> None:
    alice = slow_house.people["alice"]
    task = asyncio.create_task(alice.put("ball.toy", build_toy("ball", "1", bytes(2 << 20))))
    await asyncio.to_thread(gate.reached.wait, 30)
    for _ in range(3):  # a server that stops may cancel more than once
        task.cancel()
        await asyncio.sleep(0)
    assert len(slow_house.spooled) == 1
    assert not task.done()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.left_with == [True]
    assert await slow_house.left() == {}
    assert not [name for name in open_files() if "/spool/" in name]


async def test_uploads_cancelled_at_any_moment_leave_all_or_nothing(house: House, alice: Person) -> None:
    done = 0
    for number in range(60):
        body = build_toy("ball", str(number), os.urandom(3 << 20 if number % 3 == 0 else 100))
        task = asyncio.create_task(alice.put(f"{number}.toy", body))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            done += (await task).status_code == 201
        assert house.spooled == []
    rows = await house.rows()
    assert rows.get("file", 0) >= done
    assert rows.get("file", 0) == rows.get("file_label", 0) == rows.get("extra", 0) == rows.get("entry", 0)
    assert not [name for name in open_files() if "/spool/" in name]
    assert (await alice.put("last.toy", build_toy("ball", "last"))).status_code == 201


async def test_a_client_that_hangs_up_leaves_nothing(house: House, alice: Person) -> None:
    class HungUp(Exception):
        pass

    async def hang_up() -> None:
        async with incoming(house.site, actor=alice.actor, namespace="alice", type=None, declared_size=100 << 20) as upload:
            for _ in range(5):
                await upload.write(bytes(1 << 20))
            assert len(house.spooled) == 1
            raise HungUp

    with pytest.raises(HungUp):
        await hang_up()
    assert await house.left() == {}
    assert not [name for name in open_files() if "/spool/" in name]
