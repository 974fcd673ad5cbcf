"""Running an import again, and waiting for what is busy or away."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conda_builder import build_conda
from entrepot.db.sql import execute, fetch
from entrepot.errors import Unavailable
from entrepot.registry import Registry
from entrepot_conda.packagetype import CondaType
from ground import laid
from house import open_house
from pypi_builder import build_wheel

from .conftest import Depot, Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conda packages that were inspected."""
    seen: list[str] = []
    whole = CondaType.inspect

    def watched(self: CondaType, file: object, basename: str) -> object:
        seen.append(basename)
        return whole(self, file, basename)  # type: ignore[arg-type]

    monkeypatch.setattr(CondaType, "inspect", watched)
    return seen


async def test_what_is_there_is_passed_over_without_being_inspected(depot: Depot, inspected: list[str]) -> None:
    packages = [build_conda("a", f"1.{number}") for number in range(5)]
    for basename, body in packages:
        depot.put(f"noarch/{basename}", body)
    wheel, wheel_body = build_wheel("w", "1.0")
    depot.put(f"deep/in/folders/{wheel}", wheel_body)
    first = await depot.take()
    assert len(inspected) == 5
    heads = await fetch("SELECT document, label, generation FROM head ORDER BY id")
    again = await depot.take()
    assert len(inspected) == 5
    assert (again.imported, again.refused, again.present) == (set(), set(), first.imported)
    assert [dict(row) for row in await fetch("SELECT document, label, generation FROM head ORDER BY id")] == [dict(row) for row in heads]


async def test_other_bytes_of_the_same_size_under_a_path_are_refused(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0", files={"x": b"1"})
    other = build_conda("a", "1.0", files={"x": b"2"})[1]
    assert len(other) == len(body)
    depot.put(f"noarch/{basename}", body)
    await depot.take()
    depot.put(f"noarch/{basename}", other)
    told = await depot.take()
    assert told.sentence(f"noarch/{basename}").startswith("File already exists: noarch/a-1.0-0.conda is in alice with other bytes")


async def test_bytes_that_were_lost_come_back(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    sha256 = (await depot.take())[f"noarch/{basename}"].sha256
    depot.house.site.storage.delete(sha256)
    assert (await depot.take()).present == {f"noarch/{basename}"}
    assert (await depot.alice.client.get(f"/conda/alice/noarch/{basename}")).content == body


async def test_an_import_that_was_stopped_goes_on_where_it_ended(depot: Depot, inspected: list[str]) -> None:
    from entrepot.services.imports.request import Request
    from entrepot.services.imports.run import Import

    for number in range(12):
        basename, body = build_conda("a", f"1.{number}")
        depot.put(f"noarch/{basename}", body)
    told = Told(after=4, then=lambda: running.stop())
    running = Import(depot.house.site, Request(folder=depot.folder, namespace="alice", jobs=2), told)
    await running.run()
    assert 4 <= len(told.imported) <= 5
    assert (await depot.repodata()).keys() == {file.removeprefix("noarch/") for file in told.imported}
    again = await depot.take()
    assert again.present == told.imported
    assert len(again.imported) == 12 - len(told.imported)
    assert len(inspected) == 12


# -- what is busy or away ---------------------------------------------------------------------------------------------


@pytest.fixture
async def folder_depot(tmp_path: Path) -> AsyncIterator[Depot]:
    """A depot on SQLite and a folder, which a test can take away."""
    (tmp_path / "mirror").mkdir()
    with laid("folder") as ground:
        async with open_house(ground.data(tmp_path / "house"), Registry.built_in()) as house:
            depot = Depot(house, await house.person("alice"), tmp_path / "mirror")
            for number in range(3):
                basename, body = build_conda("a", f"1.{number}")
                depot.put(f"noarch/{basename}", body)
            yield depot


async def test_a_database_that_another_process_writes_to_is_waited_for(folder_depot: Depot) -> None:
    await execute("PRAGMA busy_timeout=100")
    with closing(sqlite3.connect(folder_depot.house.site.settings.database_path, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        told = await folder_depot.take(Told(mend=lambda: lock.execute("ROLLBACK")), patience=(0.01, 0.01))
    assert told.waited[0].startswith("The database is busy")
    assert (len(told.imported), told.refused) == (3, set())


async def test_a_database_that_stays_busy_ends_the_import_which_can_be_run_again(folder_depot: Depot) -> None:
    await execute("PRAGMA busy_timeout=100")
    told = Told()
    with closing(sqlite3.connect(folder_depot.house.site.settings.database_path, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="The database is busy"):
            await folder_depot.take(told, patience=(0.01,))
        lock.execute("ROLLBACK")
    assert told.lines == []
    assert len((await folder_depot.take()).imported) == 3


async def test_a_storage_that_goes_away_ends_the_import_which_can_be_run_again(folder_depot: Depot) -> None:
    spool = folder_depot.house.site.settings.data / "blobs" / "spool"
    told = Told(after=1, then=lambda: shutil.rmtree(spool))
    with pytest.raises(Unavailable, match="cannot write to its storage"):
        await folder_depot.take(told, patience=(0.01, 0.01), jobs=1)
    assert (len(told.imported), told.refused) == (1, set())
    assert len(told.waited) == 2
    spool.mkdir()
    again = await folder_depot.take()
    assert (len(again.present), len(again.imported)) == (1, 2)


async def test_a_storage_that_comes_back_is_waited_for(folder_depot: Depot) -> None:
    spool = folder_depot.house.site.settings.data / "blobs" / "spool"
    spool.rename(spool.with_name("away"))
    told = await folder_depot.take(Told(mend=lambda: spool.with_name("away").rename(spool)), patience=(0.01, 0.01))
    assert len(told.imported) == 3
