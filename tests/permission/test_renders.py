"""Readers of the same private packages share what was rendered: the first of a set pays, the next does not."""

from __future__ import annotations

import pytest
from cast import ACME, Cast
from entrepot.metrics import RENDERS
from pypi_builder import build_wheel

from .stocked import stocked

URLS = (f"/conda/{ACME}/noarch/repodata.json", f"/conda/{ACME}/noarch/repodata_shards.msgpack.zst", f"/pypi/{ACME}/simple/")
COMPRESSED = {url: {"document"} if url.endswith(".zst") else {"document", "encoding"} for url in URLS}
"""What is made of each: what is compressed already is not compressed again."""
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

    async def read(reader: str, encoding: str) -> list[str]:
        """What one reading has made."""
        rendered.clear()
        assert (await everybody.client(everybody.roles[reader]).get(url, headers={"accept-encoding": encoding})).status_code == 200
        return list(rendered)

    for encoding, made in (("identity", "document"), ("gzip", "encoding")):
        for first, *others in SETS:
            here = await read(first, encoding)
            assert here.count(made) == (1 if made in COMPRESSED[url] else 0), (first, url)
            for reader in (*others, first, *others):
                assert await read(reader, encoding) == [], (reader, url)
    basename, body = build_wheel("thing", "7.0")
    assert (await everybody.insider(ACME).put(f"/upload/{ACME}/{basename}", content=body)).status_code == 201
    after = [one for encoding in ("identity", "gzip") for some in SETS for reader in some for one in await read(reader, encoding)]
    assert after.count("parts") <= 1
    assert max(after.count("document"), after.count("encoding")) <= len(SETS)
