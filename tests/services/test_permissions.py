"""The table of who may do what, asked in every combination."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from entrepot.db.sql import fetch
from entrepot.errors import PermissionDenied, Unauthenticated
from entrepot.registry import Registry
from entrepot.services.actors import ANONYMOUS, Actor, covers
from entrepot.services.permissions import Level, namespace_level, package_level, reads_private, require_write, visible_sql
from house import House, Person, open_house
from hypothesis import given
from hypothesis import strategies as st
from toy import ToyPlugin, build_toy

SCOPES = ("all", "repos", "api", "api:read", "api:write", "toy", "toy:upload", "toy:download", "other", "other:upload")
scopes = st.frozensets(st.sampled_from(SCOPES))
needs = st.sampled_from(["api:read", "api:write", "toy:upload", "toy:download", "other:upload"])


def owner(*given_scopes: str) -> Actor:
    return Actor(name="alice", namespace_id=1, scopes=frozenset(given_scopes or ("all",)))


@given(given_scopes=scopes, need=needs)
def test_a_scope_covers_itself_its_family_and_nothing_else(given_scopes: frozenset[str], need: str) -> None:
    family = need.partition(":")[0]
    wanted = {"all", need, family} | ({"repos"} if family != "api" else set())
    assert covers(given_scopes, need) == bool(given_scopes & wanted)


@given(fewer=scopes, more=scopes, need=needs)
def test_more_scopes_never_allow_less(fewer: frozenset[str], more: frozenset[str], need: str) -> None:
    assert covers(fewer | more, need) >= covers(fewer, need)


@given(given_scopes=scopes, need=needs, namespace_id=st.integers(1, 2), private=st.booleans())
def test_scopes_narrow_and_never_widen(
    closed: tuple[House, House], given_scopes: frozenset[str], need: str, namespace_id: int, private: bool
) -> None:
    for house in closed:
        whole = package_level(house.site, owner("all"), namespace_id=namespace_id, private=private, needs=(need,))
        narrow = package_level(house.site, replace(owner(), scopes=given_scopes), namespace_id=namespace_id, private=private, needs=(need,))
        assert narrow <= whole
        if whole > Level.READ and not covers(given_scopes, need):
            assert narrow == (Level.NONE if private else Level.READ)


async def left_house(data: Path, anonymous_read: bool) -> House:
    """A house that is closed again; its site still knows its settings."""
    async with open_house(data, Registry.of({"toy": ToyPlugin()}), anonymous_read=anonymous_read) as house:
        return house


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, House]:
    """A site that serves everybody and one that serves nobody without a token."""
    folder = tmp_path_factory.mktemp("sites")
    return asyncio.run(left_house(folder / "open", True)), asyncio.run(left_house(folder / "closed", False))


@pytest.mark.parametrize(
    ("actor", "public", "private"),
    [
        (ANONYMOUS, Level.READ, Level.NONE),
        (owner(), Level.ADMIN, Level.ADMIN),
        (replace(owner(), namespace_id=2), Level.READ, Level.NONE),
        (replace(owner(), namespace_id=2, is_admin=True), Level.ADMIN, Level.ADMIN),
        (owner("toy:upload"), Level.READ, Level.NONE),
        (owner("api:read"), Level.ADMIN, Level.ADMIN),
    ],
)
def test_the_level_on_a_package_follows_the_table(closed: tuple[House, House], actor: Actor, public: Level, private: Level) -> None:
    site = closed[0].site
    assert package_level(site, actor, namespace_id=1, private=False) == public
    assert package_level(site, actor, namespace_id=1, private=True) == private


def test_a_closed_site_shows_the_anonymous_nothing(closed: tuple[House, House]) -> None:
    site = closed[1].site
    assert namespace_level(site, ANONYMOUS, namespace_id=1) == Level.NONE
    assert package_level(site, ANONYMOUS, namespace_id=1, private=False) == Level.NONE
    assert visible_sql(site, ANONYMOUS, 1) == ("1 = 0", [])
    assert package_level(site, replace(owner(), namespace_id=2), namespace_id=1, private=False) == Level.READ


def test_writing_takes_a_credential_the_right_and_a_scope() -> None:
    for actor, refusal in [
        (ANONYMOUS, Unauthenticated),
        (replace(owner(), namespace_id=2), PermissionDenied),
        (owner("toy:download"), PermissionDenied),
        (owner(), None),
        (owner("toy:upload"), None),
        (replace(owner(), namespace_id=2, is_admin=True), None),
        (replace(owner("toy:download"), namespace_id=2, is_admin=True), PermissionDenied),
    ]:
        if refusal is None:
            require_write(actor, namespace_id=1, namespace="alice", needs=("toy:upload",))
        else:
            with pytest.raises(refusal):
                require_write(actor, namespace_id=1, namespace="alice", needs=("toy:upload",))


def test_private_packages_are_read_by_the_owner_and_administrators_with_a_scope_for_it() -> None:
    readers = [
        actor
        for actor in (ANONYMOUS, owner(), owner("toy:download"), owner("toy:upload"), owner("api"), replace(owner(), namespace_id=2))
        if reads_private(actor, namespace_id=1, needs=("toy:download",))
    ]
    assert readers == [owner(), owner("toy:download")]


async def test_sql_and_levels_agree_on_what_is_visible(house: House, alice: Person, bob: Person) -> None:
    for person, private in product((alice, bob), ("true", "false")):
        await person.has(f"{person.name}-{private}.toy", build_toy(f"{person.name}-{private}"), private=private)
    actors = [ANONYMOUS, alice.actor, bob.actor, replace(alice.actor, scopes=frozenset({"toy:download"})), replace(bob.actor, is_admin=True)]
    for actor in actors:
        condition, values = visible_sql(house.site, actor, 1)
        seen = {row["name"] for row in await fetch(f"SELECT name FROM package WHERE {condition}", *values)}
        rows = await fetch("SELECT name, namespace_id, private FROM package")
        assert seen == {
            row["name"] for row in rows if package_level(house.site, actor, namespace_id=row["namespace_id"], private=bool(row["private"]))
        }
