"""Readers of the same private packages share what was rendered: the first of a set pays, the next does not."""

from __future__ import annotations

import pytest
from cast import ACME, Cast
from entrepot.metrics import RENDERS
from pypi_builder import build_wheel

from .stocked import stocked

URLS = (f"/conda/{ACME}/noarch/repodata.json", f"/conda/{ACME}/noarch/repodata_shards.msgpack.zst", f"/pypi/{ACME}/simple/")
SETS = (("organization owner", "group read on all", "site administrator"), ("collaborator", "group admin on this"), ("stranger", "anonymous"))
"""Those who read all that is private there, those who read one package of it, those who read none."""


@pytest.mark.parametrize("url", URLS)
async def test_the_first_reader_of_a_set_pays_one_rendering_and_the_next_none(everybody: Cast, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await stocked(everybody, ACME, private=True)
    rendered: list[str] = []
    add = RENDERS.add

    def counted(type: str, what: str) -> None:
        rendered.append(what)
        add(type, what)

    monkeypatch.setattr(RENDERS, "add", counted)
    for again in range(2):
        for some in SETS:
            for number, reader in enumerate(some):
                rendered.clear()
                assert (await everybody.client(everybody.roles[reader]).get(url)).status_code == 200
                assert rendered.count("document") == (1 if number == 0 and not again else 0), (reader, url)
    basename, body = build_wheel("thing", "7.0")
    assert (await everybody.insider(ACME).put(f"/upload/{ACME}/{basename}", content=body)).status_code == 201
    rendered.clear()
    for some in SETS:
        for reader in some:
            await everybody.client(everybody.roles[reader]).get(url)
    assert rendered.count("document") <= len(SETS)
