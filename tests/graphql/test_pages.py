"""Connections: every item once, whatever the sizes of the pages and whatever happens in between."""

from __future__ import annotations

import base64
import json
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stock import Ask, Stock

names = count()
sizes = st.lists(st.integers(1, 7), min_size=1, max_size=8)
walk_settings = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

PACKAGES = """query($n: String!, $first: Int, $after: String, $order: PackageOrder) { namespace(name: $n) {
    list: packages(first: $first, after: $after, orderBy: $order) {
    totalCount nodes { name } edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
FILES = """query($n: String!, $first: Int, $after: String) { namespace: package(namespace: $n, name: "moby") {
    list: files(first: $first, after: $after) {
    totalCount nodes { path } edges { cursor node { path } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
RELEASES = FILES.replace("files(", "releases(").replace("path", "version")


async def walk(ask: Ask, query: str, sizes: list[int], between: Any = None, **variables: Any) -> list[str]:
    """The items of a list, page by page; `between` is awaited before each page but the first."""
    found: list[str] = []
    after: str | None = None
    for turn in count():
        if turn and between:
            await between(turn)
        page = (await ask(query, first=sizes[turn % len(sizes)], after=after, **variables))["namespace"]["list"]
        info, nodes = page["pageInfo"], [next(iter(node.values())) for node in page["nodes"]]
        assert nodes == [next(iter(edge["node"].values())) for edge in page["edges"]]
        assert info["hasPreviousPage"] == (after is not None)
        assert [info["startCursor"], info["endCursor"]] == ([page["edges"][0]["cursor"], page["edges"][-1]["cursor"]] if nodes else [None, None])
        found += nodes
        after = info["endCursor"]
        if not info["hasNextPage"]:
            return found
    raise AssertionError


@walk_settings
@given(sizes=sizes, total=st.integers(0, 20), order=st.sampled_from(["NAME", "UPDATED", "CREATED"]))
async def test_a_walk_over_packages_sees_each_once_in_order(ask: Ask, stock: Stock, sizes: list[int], total: int, order: str) -> None:
    owner = await stock.namespace(f"n{next(names)}")
    made = [(await stock.package(owner, f"p{number:02}")).name for number in range(total)]
    found = await walk(ask, PACKAGES, sizes, n=owner.name, order=order)
    assert found == (made if order == "NAME" else made[::-1])


@walk_settings
@given(sizes=sizes, total=st.integers(1, 15), added=st.lists(st.integers(0, 99), max_size=6, unique=True), order=st.sampled_from(["NAME", "CREATED"]))
async def test_packages_that_come_and_go_move_no_others(ask: Ask, stock: Stock, sizes: list[int], total: int, added: list[int], order: str) -> None:
    owner = await stock.namespace(f"n{next(names)}")
    lasting = [(await stock.package(owner, f"p{number:02}")).name for number in range(total)]
    doomed = [await stock.package(owner, f"p{number:02}-doomed") for number in range(0, total, 3)]

    async def change(turn: int) -> None:
        if turn <= len(added):
            await stock.package(owner, f"p{added[turn - 1]:02}-new")
        if doomed:
            await stock.remove(doomed.pop())

    found = await walk(ask, PACKAGES, sizes, change, n=owner.name, order=order)
    assert [name for name in found if name in lasting] == (lasting if order == "NAME" else lasting[::-1])
    assert len(set(found)) == len(found)


@walk_settings
@given(sizes=sizes, versions=st.lists(st.integers(0, 30), max_size=20))
async def test_a_walk_over_files_and_releases_sees_each_once_in_order(ask: Ask, stock: Stock, sizes: list[int], versions: list[int]) -> None:
    owner = await stock.namespace(f"n{next(names)}")
    package = await stock.package(owner, "moby")
    made = [(await stock.file(package, f"{version}", number=number)).path for number, version in enumerate(versions)]
    assert await walk(ask, FILES, sizes, n=owner.name) == made[::-1]
    assert await walk(ask, RELEASES, sizes, n=owner.name) == [f"{version}" for version in sorted(set(versions), reverse=True)]


async def test_files_uploaded_in_one_millisecond_are_told_apart(ask: Ask, stock: Stock) -> None:
    owner = await stock.namespace("alice")
    package = await stock.package(owner, "moby")
    stock.ticks = iter([5] * 100)
    made = {(await stock.file(package, number=number)).path for number in range(5)}
    found = await walk(ask, FILES, [1], n="alice")
    assert len(found) == 5
    assert set(found) == made


async def test_total_count_counts_the_whole_list(ask: Ask, stock: Stock) -> None:
    owner = await stock.namespace("alice")
    for number in range(4):
        package = await stock.package(owner, f"p{number}")
        for version in range(number):
            await stock.file(package, f"{version}.0")
    found = await ask("{ packages(first: 3) { totalCount nodes { files(first: 1) { totalCount nodes { version } } releases { totalCount } } } }")
    assert found["packages"]["totalCount"] == 4
    assert [node["files"]["totalCount"] for node in found["packages"]["nodes"]] == [0, 1, 2]
    assert [node["releases"]["totalCount"] for node in found["packages"]["nodes"]] == [0, 1, 2]
    assert [len(node["files"]["nodes"]) for node in found["packages"]["nodes"]] == [0, 1, 1]


async def test_a_page_holds_20_items_unless_asked_otherwise(ask: Ask, stock: Stock) -> None:
    owner = await stock.namespace("alice")
    for number in range(21):
        await stock.package(owner, f"p{number}")
    found = await ask(
        """query($none: Int) { a: packages { nodes { name } } b: packages(first: $none) { nodes { name } }
        c: packages(first: null) { nodes { name } } }"""
    )
    assert [len(page["nodes"]) for page in found.values()] == [20, 20, 20]


@pytest.mark.parametrize("first", [-1, 0, 101, 2_147_483_647])
async def test_a_size_out_of_bounds_is_refused_with_the_bounds(ask: Ask, first: int) -> None:
    (error,) = await ask.errors("query($first: Int) { packages(first: $first) { nodes { name } } }", first=first)
    assert error["message"] == f"`first` must be from 1 to 100; here it is {first}. Go on with `after` for more."
    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_size_that_is_no_32_bit_number_is_refused(ask: Ask) -> None:
    assert "Int cannot represent" in await ask.error("{ packages(first: 99999999999) { nodes { name } } }")


async def cursor_of(ask: Ask, fields: str) -> str:
    (page,) = (await ask("{ " + fields.replace("{}", "{ pageInfo { endCursor } }") + " }")).values()
    return str(page["pageInfo"]["endCursor"])


@pytest.mark.parametrize(
    "elsewhere",
    [
        "packages(orderBy: UPDATED) {}",
        'packages(search: "p") {}',
        'packages(type: "book") {}',
        'packages(namespace: "alice") {}',
    ],
)
async def test_a_cursor_from_elsewhere_is_refused(ask: Ask, stock: Stock, elsewhere: str) -> None:
    await stock.file(await stock.package(await stock.namespace("alice"), "p"))
    cursor = await cursor_of(ask, elsewhere)
    message = await ask.error("query($after: String) { packages(after: $after) { nodes { name } } }", after=cursor)
    assert message == "`after` is the cursor of another list. A cursor is good for the same list with the same filters and order; start without it."


async def test_the_cursor_of_another_packages_files_is_refused(ask: Ask, stock: Stock) -> None:
    alice = await stock.namespace("alice")
    for name in ("moby", "dick"):
        await stock.file(await stock.package(alice, name))
    (moby,) = (await ask('{ package(namespace: "alice", name: "moby") { files { pageInfo { endCursor } } } }')).values()
    query = 'query($after: String) { package(namespace: "alice", name: "dick") { files(after: $after) { nodes { path } } } }'
    assert "another list" in await ask.error(query, after=moby["files"]["pageInfo"]["endCursor"])


def forged(*values: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!",
        "é",
        "null",
        "YXJyYXljb25uZWN0aW9uOjE=",
        forged(),
        forged("m"),
        forged("m", "a"),
        forged("m", 1, 2),
        forged({}, "a", "b"),
        "A" * 5000,
    ],
)
async def test_what_is_no_cursor_is_refused(ask: Ask, cursor: str) -> None:
    (error,) = await ask.errors("query($after: String) { packages(after: $after) { nodes { name } } }", after=cursor)
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert "cursor" in error["message"]


@pytest.mark.parametrize("keys", [(2**63, "x"), (-(2**63) - 1, "x"), (1.5, "x"), (True, "x"), (None, "x"), (1, None), ("x", 1)])
async def test_a_forged_place_is_refused(ask: Ask, stock: Stock, keys: tuple[Any, ...]) -> None:
    await stock.package(await stock.namespace("alice"), "moby")
    cursor = await cursor_of(ask, "packages(orderBy: UPDATED) {}")
    mark = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[0]
    query = "query($after: String) { packages(orderBy: UPDATED, after: $after) { nodes { name } } }"
    assert (await ask(query, after=forged(mark, 2**63 - 1, "x")))["packages"]["nodes"] == [{"name": "moby"}]
    raw = base64.urlsafe_b64encode(json.dumps([mark, *keys]).encode()).decode()
    assert "cursor" in await ask.error(query, after=raw)


@given(cursor=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@walk_settings
async def test_no_text_makes_a_cursor_crash(ask: Ask, cursor: str) -> None:
    (error,) = await ask.errors("query($after: String) { packages(after: $after) { nodes { name } } }", after=cursor)
    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_cursor_shows_nothing_but_what_its_reader_sees(ask: Ask, stock: Stock) -> None:
    package = await stock.package(await stock.namespace("alice"), "moby")
    cursor = await cursor_of(ask, "packages {}")
    mark, *keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert keys == ["moby", package.uuid]
    assert len(mark) == 12
