"""The database or the object store of a fleet goes away in the middle of an import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conda_builder import build_conda
from databases import shared_databases
from entrepot.errors import Unavailable
from entrepot.registry import Registry
from house import open_house
from object_store import ObjectStore, shared_store
from postgres_server import PostgresServer, shared_server

from .conftest import Depot, Told

FILES = 12


@dataclass
class Part:
    """A part of a fleet that the test may kill and start again; the rest of the fleet is everybody's."""

    server: PostgresServer | ObjectStore
    settings: Mapping[str, Any]


@pytest.fixture(params=["database", "store"])
def part(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Part]:
    """A server of the test's own, and the settings of a site that stands on it."""
    if request.param == "database":
        postgres = PostgresServer(durable=True)
        try:
            postgres.start()
            yield Part(postgres, {"database_url": postgres.url(), **shared_store().place()})
        finally:
            postgres.remove()
    else:
        database, store = shared_databases().create(), ObjectStore(tmp_path / "store")
        try:
            store.start()
            yield Part(store, {"database_url": shared_server().url(database), **store.place()})
        finally:
            store.kill()
            shared_databases().drop(database)


@pytest.fixture
async def depot(tmp_path: Path, part: Part) -> AsyncIterator[Depot]:
    """A depot on it, with a folder of a dozen packages."""
    (tmp_path / "mirror").mkdir()
    async with open_house(tmp_path / "house", Registry.built_in(), downloads="stream", **part.settings) as house:
        depot = Depot(house, await house.person("alice"), tmp_path / "mirror")
        for number in range(FILES):
            basename, body = build_conda("a", f"1.{number}")
            depot.put(f"noarch/{basename}", body)
        yield depot


async def test_what_comes_back_is_waited_for_and_no_file_is_missing(depot: Depot, part: Part) -> None:
    told = await depot.take(Told(after=4, then=part.server.kill, mend=part.server.start), patience=(0.05,) * 40)
    assert told.waited
    assert told.refused == set()
    assert len(told.imported | told.present) == FILES
    assert len(await depot.repodata()) == FILES


async def test_what_stays_away_ends_the_import_which_then_goes_on(depot: Depot, part: Part) -> None:
    told = Told(after=4, then=part.server.kill)
    with pytest.raises(Unavailable) as error:
        await depot.take(told, patience=(0.05, 0.05))
    assert error.value.message.endswith(".")
    assert (4 <= len(told.imported) < FILES, told.refused) == (True, set())
    part.server.start()
    again = await depot.take(patience=(0.05,) * 40)
    assert told.imported <= again.present
    assert len(again.imported | again.present) == FILES
    for basename in await depot.repodata():
        assert (await depot.alice.client.get(f"/conda/alice/noarch/{basename}")).content == (depot.folder / "noarch" / basename).read_bytes()
