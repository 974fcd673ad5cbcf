"""Counting downloads: what counts, and that none is lost or counted twice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.errors import Unavailable
from entrepot.registry import Registry
from entrepot.services import downloads
from entrepot.services.catalog.downloads import downloads_of_files, downloads_of_packages
from entrepot.services.downloads import Downloads
from ground import Ground
from house import House, Person, open_house
from object_store import shared_store
from toy import ToyPlugin, build_toy

SMALL, LARGE = build_toy("small"), build_toy("large", filling=bytes(100_000))
LONG_AGO = 1.0


@pytest.fixture
async def files(house: House, alice: Person) -> None:
    await alice.has("small.toy", SMALL)
    await alice.has("large.toy", LARGE)


async def counted(house: House) -> dict[str, int]:
    """How often each file was downloaded, as everybody sees it."""
    await house.site.downloads.write()
    return {row["path"]: row["n"] for row in await fetch("SELECT path, count AS n FROM download JOIN file ON file.id = download.file_id")}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("path", ["small.toy", "large.toy"])
async def test_a_get_counts_from_the_first_byte_on_and_nothing_else_does(house: House, path: str) -> None:
    url = f"/toy/alice/files/{path}"
    etag = (await house.anyone.head(url)).headers["etag"]
    for headers, status in (
        ({"if-none-match": etag}, 304),
        ({"range": "bytes=1-"}, 206),
        ({"range": "bytes=-5"}, 206),
        ({"range": "bytes=9999999-"}, 416),
    ):
        assert (await house.anyone.get(url, headers=headers)).status_code == status
    await house.anyone.get(f"/toy/alice/notes/{path}")
    await house.anyone.get("/toy/alice/listing")
    await house.anyone.get("/toy/alice/files/none.toy")
    assert await counted(house) == {}
    for headers, status in (({}, 200), ({"range": "bytes=0-5"}, 206), ({"range": "bytes=0-5,9-10"}, 200), ({"if-none-match": '"x"'}, 200)):
        assert (await house.anyone.get(url, headers=headers)).status_code == status
    assert await counted(house) == {path: 4}


@pytest.mark.parametrize("elsewhere", ["store", "nginx"])
async def test_a_download_that_somebody_else_sends_counts(tmp_path: Path, elsewhere: str) -> None:
    settings: dict[str, Any] = shared_store().place() if elsewhere == "store" else {"accel_redirect": "/files/", "trusted_proxies": ["127.0.0.1"]}
    async with open_house(tmp_path / "data", Registry.of({"toy": ToyPlugin()}), **settings) as house:
        alice = await house.person("alice")
        made = await alice.has("large.toy", LARGE)
        through = house.client(X_Forwarded_For="192.0.2.1")
        for header in ("bytes=5-", "bytes=-1", "bytes=999999999-"):
            await through.get(made["url"], headers={"range": header})
        await through.head(made["url"])
        await through.get(made["url"], headers={"if-none-match": f'"{made["sha256"]}"'})
        assert await counted(house) == {}
        for headers in ({}, {"range": "bytes=0-"}):
            await through.get(made["url"], headers=headers)
        assert await counted(house) == {"large.toy": 2}


@pytest.mark.usefixtures("files")
async def test_workers_and_days_add_up_and_are_read_per_file_and_package(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {row["path"]: (row["id"], row["package_id"]) for row in await fetch("SELECT id, path, package_id FROM file")}
    (small, small_package), (large, large_package) = ids["small.toy"], ids["large.toy"]
    workers = [Downloads() for _ in range(3)]
    today = int(time.time()) // 86_400
    for number, worker in enumerate(workers):
        for _ in range(number + 1):
            worker.count(small)
        worker.count(large)
    await asyncio.gather(*(worker.write() for worker in workers))
    monkeypatch.setattr(time, "time", lambda: LONG_AGO)
    workers[0].count(small)
    await workers[0].write()
    rows = await fetch("SELECT file_id, day, count FROM download ORDER BY file_id, day")
    assert {(row["file_id"], row["day"], row["count"]) for row in rows} == {(small, 0, 1), (small, today, 6), (large, today, 3)}
    assert await downloads_of_files([small, large]) == {small: 7, large: 3}
    assert await downloads_of_packages([small_package, large_package]) == {small_package: 7, large_package: 3}


@pytest.mark.usefixtures("files")
async def test_many_workers_that_write_the_same_files_at_once_lose_nothing(house: House, alice: Person) -> None:
    for number in range(30):
        await alice.has(f"f{number}.toy", build_toy(f"f{number}"))
    ids = [row["id"] for row in await fetch("SELECT id FROM file")]

    async def work(order: list[int]) -> None:
        worker = Downloads()
        for _ in range(3):
            for file_id in order:
                worker.count(file_id)
            await worker.write()

    await asyncio.gather(*(work(ids if number % 2 else ids[::-1]) for number in range(6)))
    assert {row["count"] for row in await fetch("SELECT count FROM download")} == {18}


@pytest.mark.usefixtures("files")
async def test_a_file_that_was_removed_meanwhile_takes_its_counts_along_and_no_others(house: House, alice: Person) -> None:
    ids = {row["path"]: row["id"] for row in await fetch("SELECT id, path FROM file")}
    for path in ids:
        await house.anyone.get(f"/toy/alice/files/{path}")
    await execute("DELETE FROM entry WHERE file_id = $1", ids["small.toy"])
    await execute("DELETE FROM file_label WHERE file_id = $1", ids["small.toy"])
    await execute("DELETE FROM extra WHERE file_id = $1", ids["small.toy"])
    await execute("DELETE FROM file WHERE id = $1", ids["small.toy"])
    assert await counted(house) == {"large.toy": 1}
    await house.site.downloads.write()
    assert await counted(house) == {"large.toy": 1}


@pytest.mark.usefixtures("files")
async def test_counts_that_cannot_be_written_are_kept_and_written_later(house: House) -> None:
    await house.anyone.get("/toy/alice/files/small.toy")
    await execute("ALTER TABLE download RENAME TO download_away")
    with pytest.raises(Unavailable):
        await house.site.downloads.write()
    await house.anyone.get("/toy/alice/files/small.toy")
    await execute("ALTER TABLE download_away RENAME TO download")
    assert await counted(house) == {"small.toy": 2}


async def test_counts_are_written_when_the_server_stops(house_data: Path, ground: Ground) -> None:
    registry = Registry.of({"toy": ToyPlugin()})
    async with open_house(house_data, registry) as house:
        alice = await house.person("alice")
        made = await alice.has("small.toy", SMALL)
        await house.anyone.get(made["url"])
        await house.anyone.get(made["url"])
    assert ground.rows(house_data, "SELECT count FROM download") == [(2,)]


async def test_memory_is_bounded_and_what_is_beyond_is_said(house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(downloads, "MOST", 3)
    worker = Downloads()
    for file_id in (1, 2, 3, 4, 5, 1):
        worker.count(file_id)
    await worker.write()
    assert "2 downloads were not counted" in caplog.text
