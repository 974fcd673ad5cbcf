"""What a reader may not read does not exist: no name, no count, no node, no label, no place in a list."""

from __future__ import annotations

from typing import Any

import pytest
from entrepot.db.models import Namespace
from entrepot.services.actors import Actor
from stock import Ask, Stock, user

LOOK = """{
    packages { totalCount nodes { name } }
    secret: packages(search: "secret") { totalCount nodes { name } }
    bySummary: packages(search: "hush") { totalCount }
    byPlatform: packages(platform: "vault") { totalCount }
    namespace(name: "alice") { packages { totalCount nodes { name } } labels { name } }
    package(namespace: "alice", name: "secret") { name visibility viewerPermission }
}"""
SHOWN = {
    "packages": {"totalCount": 1, "nodes": [{"name": "open"}]},
    "secret": {"totalCount": 0, "nodes": []},
    "bySummary": {"totalCount": 0},
    "byPlatform": {"totalCount": 0},
    "namespace": {"packages": {"totalCount": 1, "nodes": [{"name": "open"}]}, "labels": [{"name": "beta"}, {"name": "main"}]},
    "package": None,
}


@pytest.fixture
async def alice(stock: Stock) -> Namespace:
    alice = await stock.namespace("alice")
    await stock.file(await stock.package(alice, "open"), labels=("main", "beta"))
    await stock.file(await stock.package(alice, "secret", private=True, summary="hush"), platform="vault", labels=("main", "stealth"))
    return alice


async def ids(ask: Ask) -> dict[str, str]:
    """The ids of everything about the secret package, as its owner sees them."""
    found = await ask(
        """{ package(namespace: "alice", name: "secret") { id latestRelease { id } files { nodes { id } }
        labels { id name } } }"""
    )
    package = found["package"]
    labels = {label["name"]: label["id"] for label in package["labels"]}
    return {
        "package": package["id"],
        "release": package["latestRelease"]["id"],
        "file": package["files"]["nodes"][0]["id"],
        "label": labels["stealth"],
    }


async def nodes(ask: Ask, ids: dict[str, str]) -> list[Any]:
    return [(await ask("query($id: ID!) { node(id: $id) { id } }", id=one))["node"] for one in ids.values()]


async def test_its_owner_sees_a_private_package(ask: Ask, alice: Namespace) -> None:
    found = await ask.as_(user(alice))(LOOK)
    assert found["packages"] == {"totalCount": 2, "nodes": [{"name": "open"}, {"name": "secret"}]}
    assert found["package"] == {"name": "secret", "visibility": "PRIVATE", "viewerPermission": "ADMIN"}
    assert [label["name"] for label in found["namespace"]["labels"]] == ["beta", "main", "stealth"]
    assert (found["secret"]["totalCount"], found["bySummary"]["totalCount"], found["byPlatform"]["totalCount"]) == (1, 1, 1)


async def test_a_site_administrator_sees_it_too(ask: Ask, stock: Stock, alice: Namespace) -> None:
    found = await ask.as_(user(await stock.namespace("root"), admin=True))(LOOK)
    assert found["packages"]["totalCount"] == 2


async def test_nobody_else_does(ask: Ask, stock: Stock, alice: Namespace) -> None:
    known = await ids(ask.as_(user(alice)))
    bob = user(await stock.namespace("bob"))
    for reader in (ask, ask.as_(bob)):
        assert await reader(LOOK) == SHOWN
        assert await nodes(reader, known) == [None] * 4
    assert all(await nodes(ask.as_(user(alice)), known))


async def test_private_packages_take_no_place_in_a_page(ask: Ask, stock: Stock, alice: Namespace) -> None:
    for number in range(5):
        await stock.package(alice, f"p{number}", private=True)
    found = await ask("{ packages(first: 1) { nodes { name } pageInfo { hasNextPage } } }")
    assert found["packages"] == {"nodes": [{"name": "open"}], "pageInfo": {"hasNextPage": False}}


async def test_a_site_without_anonymous_readers_shows_them_nothing(ask: Ask, stock: Stock, alice: Namespace) -> None:
    closed = ask.on(anonymous_read=False)
    found = await closed(LOOK)
    nothing = {"totalCount": 0, "nodes": []}
    assert found == SHOWN | {"packages": nothing, "namespace": None}
    owner = await closed.as_(user(alice))("{ viewer { id packages { nodes { id } } } }")
    assert await nodes(closed, {"viewer": owner["viewer"]["id"], "open": owner["viewer"]["packages"]["nodes"][0]["id"]}) == [None, None]
    bob = await closed.as_(user(await stock.namespace("bob")))(LOOK)
    assert bob == SHOWN


@pytest.mark.parametrize("scopes", [("book:download",), ("repos",)])
async def test_a_token_for_other_things_shows_no_private_package(ask: Ask, alice: Namespace, scopes: tuple[str, ...]) -> None:
    narrow = Actor(name="alice", namespace_id=alice.id, scopes=frozenset(scopes))
    found = await ask.as_(narrow)("{ packages { totalCount nodes { name viewerPermission } } }")
    assert found["packages"] == {"totalCount": 1, "nodes": [{"name": "open", "viewerPermission": "READ"}]}
