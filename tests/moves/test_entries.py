"""A type may write the namespace into what its files show in indexes: wherever a file goes, it says where it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from changes import done, package_of
from entrepot.db.sql import execute
from entrepot.plugin import Entry, PackageType, StoredFile, hookimpl
from entrepot.registry import Registry
from house import House, open_house
from mover import organization, sound
from toy import ToyType, build_toy


class SignedType(ToyType):
    """Toys that say where they are."""

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        if file.version == "broken":
            raise ValueError("nothing can be made of it any more")
        return [Entry("all", {"line": f"{file.namespace}/{file.package}/{file.path}\n".encode()})]


class SignedPlugin:
    """The plugin object."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        return [SignedType()]


@pytest.fixture
async def house(house_data: Path) -> AsyncIterator[House]:
    async with open_house(house_data, Registry.of({"toy": SignedPlugin()})) as opened:
        await organization("acme", await opened.person("alice"))
        yield opened


async def listing(house: House, namespace: str) -> list[str]:
    """The lines of a namespace's list, and of the shards, which must say the same."""
    client = house.people["alice"].client
    lines = (await client.get(f"/toy/{namespace}/listing")).text.splitlines()
    shards = [line.split()[1] for line in (await client.get(f"/toy/{namespace}/shards")).text.splitlines()]
    assert [line for shard in shards for line in (await client.get(f"/toy/{namespace}/shard/{shard}")).text.splitlines()] == lines
    return lines


async def test_a_transfer_restates_what_files_show(house: House) -> None:
    alice = house.people["alice"]
    for number in range(120):  # more than are restated at once
        await alice.has(f"{number:03}.toy", build_toy("ball", str(number)))
    ball = (await package_of(alice.client, "ball"))["id"]
    assert (await listing(house, "alice"))[0] == "alice/ball/000.toy"
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert await listing(house, "acme") == [f"acme/ball/{number:03}.toy" for number in range(120)]
    assert await listing(house, "alice") == []
    assert await sound(house)


async def test_copies_and_moves_say_where_they_are(house: House) -> None:
    alice = house.people["alice"]
    await alice.has("a.toy", build_toy("ball"))
    await alice.has("b.toy", build_toy("ball", "2"))
    files = {"addresses": [{"namespace": "alice", "type": "toy", "path": "a.toy"}]}
    await done(alice.client, "copyFiles", {"files": files, "namespace": "acme"})
    assert await listing(house, "acme") == ["acme/ball/a.toy"]
    ball = (await package_of(alice.client, "ball"))["id"]
    await done(alice.client, "moveFiles", {"files": {"packageId": ball}, "namespace": "acme"})
    assert await listing(house, "acme") == ["acme/ball/a.toy", "acme/ball/b.toy"]
    assert await listing(house, "alice") == []
    assert await sound(house)


async def test_a_file_that_its_type_cannot_restate_any_more_keeps_nothing_from_moving(house: House) -> None:
    alice = house.people["alice"]
    await alice.has("a.toy", build_toy("ball"))
    await alice.has("b.toy", build_toy("ball", "2"))
    await execute("UPDATE file SET version = 'broken' WHERE path = 'b.toy'")
    ball = (await package_of(alice.client, "ball"))["id"]
    await done(alice.client, "transferPackage", {"packageId": ball, "namespace": "acme"})
    assert await listing(house, "acme") == ["acme/ball/a.toy", "alice/ball/b.toy"]
    assert await listing(house, "alice") == []
