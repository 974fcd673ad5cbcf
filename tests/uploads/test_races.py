"""Uploads of one path at once: one is taken, and every other hears 200 or 409."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from command import run_command
from entrepot_process import process_environment, serving
from ground import Ground
from house import House, Person
from pypi_builder import build_wheel
from toy import build_toy

from .conftest import Depot, prepare


async def test_the_same_bytes_at_once_are_201_once_and_200_for_the_rest(house: House, alice: Person) -> None:
    responses = await asyncio.gather(*(alice.put("ball.toy", build_toy("ball")) for _ in range(12)))
    assert Counter(response.status_code for response in responses) == {201: 1, 200: 11}
    assert len({response.text for response in responses}) == 1
    assert (await house.rows())["file"] == 1


async def test_other_bytes_at_once_are_201_once_and_409_for_the_rest(house: House, alice: Person) -> None:
    bodies = [build_toy("ball", str(number)) for number in range(12)]
    responses = await asyncio.gather(*(alice.put("ball.toy", body) for body in bodies))
    assert Counter(response.status_code for response in responses) == {201: 1, 409: 11}
    [winner] = [body for body, response in zip(bodies, responses, strict=True) if response.status_code == 201]
    assert (await house.anyone.get("/toy/alice/files/ball.toy")).content == winner
    rows = await house.rows()
    assert (rows["file"], rows["release"], rows["package"]) == (1, 1, 1)


async def test_first_files_of_one_package_at_once_make_one_package_and_one_release(house: House, alice: Person) -> None:
    responses = await asyncio.gather(*(alice.put(f"ball-{number}.toy", build_toy("ball", filling=bytes([number]))) for number in range(12)))
    assert {response.status_code for response in responses} == {201}
    rows = await house.rows()
    assert (rows["file"], rows["release"], rows["package"], rows["binding"], rows["label"]) == (12, 1, 1, 1, 1)
    assert len((await house.anyone.get("/toy/alice/listing")).text.splitlines()) == 12


async def test_a_private_and_a_public_first_file_at_once_do_not_mix(house: House, alice: Person) -> None:
    for number in range(10):
        name = f"ball{number}"
        responses = await asyncio.gather(
            alice.put(f"{name}-1.toy", build_toy(name, "1"), private="true"), alice.put(f"{name}-2.toy", build_toy(name, "2"), private="false")
        )
        assert sorted(response.status_code for response in responses) == [201, 409]
        private = responses[0].status_code == 201
        assert (f"{name}-" in (await house.anyone.get("/toy/alice/listing")).text) != private


@pytest.fixture
def two_workers(tmp_path: Path, ground: Ground) -> Iterator[Depot]:
    data = ground.data(tmp_path / "data")
    tokens = asyncio.run(prepare(data))
    with serving(data, "--workers", 2) as running:
        yield Depot(running, data, ground, tokens)


def test_uploads_of_one_path_in_two_processes_at_once(two_workers: Depot) -> None:
    depot = two_workers
    header = {"Authorization": f"Bearer {depot.tokens['alice']}", "connection": "close"}  # so that each goes to any worker

    def put(basename: str, body: bytes) -> httpx.Response:
        return httpx.put(f"{depot.running.url}/upload/alice/{basename}", content=body, headers=header, timeout=60)

    with ThreadPoolExecutor(5) as pool:
        for number in range(6):
            same = number % 2 == 0
            wheels = [build_wheel("ball", f"{number}.0", description="" if same else str(which)) for which in range(5)]
            responses = list(pool.map(lambda wheel: put(*wheel), wheels))
            assert Counter(response.status_code for response in responses) == {201: 1, 200 if same else 409: 4}
            [winner] = [body for (_, body), response in zip(wheels, responses, strict=True) if response.status_code == 201]
            for _ in range(3):
                served = httpx.get(f"{depot.running.url}/pypi/alice/files/{wheels[0][0]}", headers={"connection": "close"})
                assert served.content == winner
                page = httpx.get(f"{depot.running.url}/pypi/alice/simple/ball/", headers={"connection": "close"}).text
                assert hashlib.sha256(winner).hexdigest() in page
    assert len(depot.running.processes) >= 3
    assert depot.left()["file"] == 6

    checked = run_command("check", "--data", depot.data, folder=depot.data, environment=process_environment())
    assert checked.returncode == 0, checked.stdout
