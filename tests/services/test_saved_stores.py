"""What a worker that starts takes from the database instead of rendering every shard, and when it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.plugin import RenderContext
from entrepot.registry import Registry
from entrepot.services.files import remove_file
from house import House, open_house
from plugin_builder import plugin
from toy import ToyType, build_toy


class CountingToy(ToyType):
    """A toy that notes which shards it renders, and may come in another version."""

    def __init__(self) -> None:
        self.rendered: Counter[str] = Counter()
        self.suffix = b""

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        if representation == "shard":
            self.rendered[str(context.part)] += 1
        return super().render_part(representation, context, entries) + self.suffix

    def becomes(self, version: str) -> None:
        """As after an upgrade."""
        self.suffix = f"as version {version} says it\n".encode()
        toy: Any = self  # what else no instance may do
        toy.part_representations = [replace(one, version=version) for one in self.part_representations]


@pytest.fixture
def toy() -> CountingToy:
    return CountingToy()


@pytest.fixture
async def saving(house_data: Path, toy: CountingToy) -> AsyncIterator[House]:
    """A house of alice's with three toys, whose shard index is saved whenever it has changed; it was just asked for."""
    async with open_house(house_data, Registry.of({"toy": plugin(package_types=[toy])})) as house:
        house.site.indexes.saved_every = 1
        alice = await house.person("alice")
        for name in ("ball", "car", "drum"):
            await alice.has(f"{name}.toy", build_toy(name))
        await index(house)
        toy.rendered.clear()
        yield house


def restart(house: House) -> None:
    """Forget what a worker that starts does not have."""
    stores: Any = house.site.indexes.stores
    for key in list(stores._held):
        stores.drop(key)


async def index(house: House, *, insider: bool = False) -> dict[str, str]:
    """The shard index; every shard that it names is served and has the package's name in it."""
    client = house.people["alice"].client if insider else house.anyone
    lines = (await client.get("/toy/alice/shards")).raise_for_status().text.splitlines()
    shards = dict(line.split() for line in lines)
    for name, digest in shards.items():
        assert name in (await client.get(f"/toy/alice/shard/{digest}")).raise_for_status().text
    return shards


async def as_rendered_anew(house: House, *, insider: bool = False) -> dict[str, str]:
    """What a worker says that starts and finds nothing saved."""
    await execute("DELETE FROM saved_store")
    restart(house)
    return await index(house, insider=insider)


async def test_a_worker_that_starts_renders_none_of_the_shards_that_another_has_saved(saving: House, toy: CountingToy) -> None:
    restart(saving)
    found = await index(saving)
    assert not toy.rendered
    assert found == await as_rendered_anew(saving)
    assert toy.rendered.keys() == found.keys()


async def test_it_renders_what_has_changed_since(saving: House, toy: CountingToy) -> None:
    alice = saving.people["alice"]
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("kite.toy", build_toy("kite"))
    await alice.has("doll.toy", build_toy("doll"), private=True)
    await remove_file(saving.site, actor=alice.actor, namespace="alice", type="toy", path="car.toy")
    restart(saving)
    found = await index(saving)
    assert found.keys() == {"ball", "drum", "kite"}
    assert toy.rendered == {"ball": 1, "kite": 1, "doll": 1}
    assert found == await as_rendered_anew(saving)


async def test_what_was_private_when_it_was_saved_is_private_and_what_became_so_too(saving: House, toy: CountingToy) -> None:
    alice = saving.people["alice"]
    await alice.has("doll.toy", build_toy("doll"), private=True)
    await index(saving)
    toy.rendered.clear()
    restart(saving)
    assert "doll" not in await index(saving)
    assert "doll" in await index(saving, insider=True)
    assert not toy.rendered


async def test_a_small_change_is_saved_with_the_next_ones(saving: House) -> None:
    alice = saving.people["alice"]
    saving.site.indexes.saved_every = 3
    saved = []
    for number in range(2, 8):
        await alice.has(f"ball-{number}.toy", build_toy("ball", str(number)))
        await index(saving)
        saved += [row["generation"] for row in await fetch("SELECT generation FROM saved_store")]
    assert saved == [3, 3, 6, 6, 6, 9]


async def test_another_version_of_the_rendering_takes_nothing_of_it(saving: House, toy: CountingToy) -> None:
    before = await index(saving)
    toy.becomes("2")
    restart(saving)
    after = await index(saving)
    assert toy.rendered.keys() == after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    toy.rendered.clear()
    restart(saving)
    assert await index(saving) == after  # it has saved its own
    assert not toy.rendered


async def test_where_the_log_is_pruned_it_reads_everything(saving: House, toy: CountingToy) -> None:
    alice = saving.people["alice"]
    await remove_file(saving.site, actor=alice.actor, namespace="alice", type="toy", path="car.toy")
    await execute("DELETE FROM change")
    await execute("UPDATE head SET pruned = generation")
    restart(saving)
    assert (await index(saving)).keys() == {"ball", "drum"}
    assert toy.rendered == {"ball": 1, "drum": 1}


async def test_a_shard_that_is_gone_is_stored_again(saving: House, toy: CountingToy) -> None:
    await execute("DELETE FROM shard WHERE part = 'ball'")
    restart(saving)
    assert (await index(saving)).keys() == {"ball", "car", "drum"}
    assert toy.rendered["ball"] == 1


async def test_a_shard_that_a_late_worker_has_stored_after_it_does_not_make_it_superseded(saving: House, toy: CountingToy) -> None:
    """gc takes the last one stored for the one that indexes name."""
    before = await index(saving)
    copied = "head_id, representation, part, package_id, stored_at, body"
    await execute(f"INSERT INTO shard ({copied}, generation, sha256) SELECT {copied}, generation + 1, 'late' FROM shard WHERE part = 'ball'")
    await saving.people["alice"].has("kite.toy", build_toy("kite"))
    await saving.people["alice"].has("kite-2.toy", build_toy("kite", "2"))
    restart(saving)
    after = await index(saving)
    assert {**before, "kite": after["kite"]} == after
    [last] = await fetch("SELECT sha256 FROM shard WHERE part = 'ball' ORDER BY generation DESC LIMIT 1")
    assert last["sha256"] == before["ball"]
