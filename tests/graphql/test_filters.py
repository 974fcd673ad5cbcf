"""Searching and narrowing."""

from __future__ import annotations

import pytest
from stock import Ask, Stock


async def names(ask: Ask, arguments: str) -> list[str]:
    found = await ask(f"{{ packages({arguments}) {{ totalCount nodes {{ name }} }} }}")
    assert found["packages"]["totalCount"] == len(found["packages"]["nodes"])
    return [node["name"] for node in found["packages"]["nodes"]]


@pytest.fixture
async def stocked(stock: Stock) -> None:
    alice, bob = await stock.namespace("Alice"), await stock.namespace("bob")
    moby = await stock.package(alice, "Moby-Dick", summary="A white WHALE")
    await stock.file(moby, platform="paper")
    await stock.file(moby, "2.0", type="map", platform="wall", labels=("dev",))
    await stock.file(await stock.package(bob, "whale_song", summary="100% music"), "1.0.1", platform="paper")
    await stock.package(bob, "empty")


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("first: 9", ["empty", "Moby-Dick", "whale_song"]),
        ('search: ""', ["empty", "Moby-Dick", "whale_song"]),
        ('search: "MOBY"', ["Moby-Dick"]),
        ('search: "whale"', ["Moby-Dick", "whale_song"]),
        ('search: " white  whale "', ["Moby-Dick"]),
        ('search: "moby song"', []),
        ('search: "100%"', ["whale_song"]),
        ('search: "e_s"', ["whale_song"]),
        ('search: "%"', ["whale_song"]),
        ('search: "\\\\"', []),
        ('search: "\' OR 1=1 --"', []),
        ('namespace: "ALICE"', ["Moby-Dick"]),
        ('namespace: "nobody"', []),
        ('type: "book"', ["Moby-Dick", "whale_song"]),
        ('type: "map"', ["Moby-Dick"]),
        ('type: "letter"', []),
        ('platform: "paper"', ["Moby-Dick", "whale_song"]),
        ('platform: "paper", namespace: "bob", type: "book", search: "song"', ["whale_song"]),
        ('platform: "stone"', []),
        ("orderBy: UPDATED", ["empty", "whale_song", "Moby-Dick"]),
    ],
)
async def test_packages_are_found_by(ask: Ask, arguments: str, expected: list[str]) -> None:
    assert await names(ask, arguments) == expected


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('type: "map"', ["Moby-Dick-2.0-1.map"]),
        ('label: "main"', ["Moby-Dick-1.0-1.book"]),
        ('label: "DEV"', ["Moby-Dick-2.0-1.map"]),
        ('label: "none"', []),
        ('platform: "paper"', ["Moby-Dick-1.0-1.book"]),
        ('version: "1.0"', ["Moby-Dick-1.0-1.book"]),
        ('version: "1"', ["Moby-Dick-1.0-1.book"]),
        ('version: "2"', ["Moby-Dick-2.0-1.map"]),
        ('version: "3"', []),
        ('version: "no version"', []),
        ('type: "map", version: "1.0"', []),
        ('type: "map", version: "2.0", label: "dev", platform: "wall"', ["Moby-Dick-2.0-1.map"]),
    ],
)
async def test_files_are_narrowed_by(ask: Ask, arguments: str, expected: list[str]) -> None:
    found = await ask(f'{{ package(namespace: "alice", name: "moby-dick") {{ files({arguments}) {{ totalCount nodes {{ path }} }} }} }}')
    assert found["package"]["files"] == {"totalCount": len(expected), "nodes": [{"path": path} for path in expected]}


async def test_an_unknown_type_is_refused_with_the_known_ones(ask: Ask, stock: Stock) -> None:
    await stock.package(await stock.namespace("alice"), "moby")
    message = "There is no package type 'npm' here. The types are: book, letter, map."
    assert await ask.error('{ packages(type: "npm") { nodes { name } } }') == message
    assert await ask.error('{ packages { nodes { files(type: "npm") { totalCount } } } }') == message


async def test_what_can_be_no_label_is_refused(ask: Ask, stock: Stock) -> None:
    await stock.package(await stock.namespace("alice"), "moby")
    (error,) = await ask.errors('{ packages { nodes { files(label: "a/b") { nodes { path } } } } }')
    assert error["extensions"] == {"code": "VALIDATION_ERROR"}


async def test_a_boundless_search_is_refused(ask: Ask) -> None:
    message = await ask.error("query($s: String) { packages(search: $s) { nodes { name } } }", s="x " * 200)
    assert message == "A search takes 200 characters at most; this one has 400."


async def test_one_wrong_argument_spoils_only_its_own_list(ask: Ask, stock: Stock) -> None:
    await stock.file(await stock.package(await stock.namespace("alice"), "moby"))
    data, errors = await ask.both(
        """{ right: package(namespace: "alice", name: "moby") { files { nodes { path } } }
        wrong: package(namespace: "alice", name: "moby") { files(type: "npm") { nodes { path } } } }"""
    )
    assert data == {"right": {"files": {"nodes": [{"path": "moby-1.0-1.book"}]}}, "wrong": None}
    assert errors == ["There is no package type 'npm' here. The types are: book, letter, map."]
