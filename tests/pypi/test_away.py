"""The storage goes away and comes back: the last row of the table of `docs/clients/pypi.md`. The others: test_taking_table.py."""

from __future__ import annotations

from pathlib import Path

from entrepot.services.facade import Services
from ground import on_folder
from house import House, Person
from pypi_builder import build_wheel
from pypi_client import PypiClient

WHEEL = build_wheel("foo", "1.0")


@on_folder
async def test_while_the_storage_is_away_an_upload_is_a_503_and_then_taken(depot: House, owner: Person, tmp_path: Path) -> None:
    client = PypiClient(depot.anyone, "alice", owner.token, Services(depot.site))
    before, blobs = await depot.left(), depot.site.settings.data / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    answer = await client.publish(WHEEL)
    assert (answer.status_code, answer.text.count("\n")) == (503, 1), answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    (tmp_path / "elsewhere").rename(blobs)
    assert await depot.left() == before
    assert (await client.publish(WHEEL)).status_code == 200
