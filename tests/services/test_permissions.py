"""The table of who may do what, asked in every combination."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from entrepot.db.sql import fetch
from entrepot.errors import NotFound, PermissionDenied, Unauthenticated
from entrepot.registry import Registry
from entrepot.services.actors import ANONYMOUS, Actor, covers
from entrepot.services.grants import Grants, Level, parse_grants
from entrepot.services.permissions import On, audience_of, namespace_level, package_level, reads_private, require, visible_sql
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
        whole = package_level(house.site, owner("all"), namespace_id=namespace_id, package_id=7, private=private, needs=(need,))
        narrow = package_level(
            house.site, replace(owner(), scopes=given_scopes), namespace_id=namespace_id, package_id=7, private=private, needs=(need,)
        )
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


def stranger(**given: object) -> Actor:
    """Somebody else, who was given something."""
    return replace(owner(), name="bob", namespace_id=2, **given)  # type: ignore[arg-type]  # the fields of an Actor


def group(level: Level) -> Actor:
    """A member of a group on everything in the namespace 1."""
    return stranger(grants=Grants(namespaces={1: level}))


def some(level: Level, package: int = 7) -> Actor:
    """A member of a group on a package there, or a collaborator."""
    return stranger(grants=Grants(packages={package: level}, homes={1: level}))


@pytest.mark.parametrize(
    ("actor", "public", "private"),
    [
        (ANONYMOUS, Level.READ, Level.NONE),
        (owner(), Level.ADMIN, Level.ADMIN),
        (stranger(), Level.READ, Level.NONE),
        (stranger(is_admin=True), Level.ADMIN, Level.ADMIN),
        (owner("toy:upload"), Level.READ, Level.NONE),
        (owner("api:read"), Level.ADMIN, Level.ADMIN),
        (replace(owner(), is_organization=True), Level.WRITE, Level.WRITE),
        (group(Level.READ), Level.READ, Level.READ),
        (group(Level.WRITE), Level.WRITE, Level.WRITE),
        (group(Level.ADMIN), Level.ADMIN, Level.ADMIN),
        (some(Level.READ), Level.READ, Level.READ),
        (some(Level.WRITE), Level.WRITE, Level.WRITE),
        (some(Level.ADMIN), Level.ADMIN, Level.ADMIN),
        (some(Level.ADMIN, package=8), Level.READ, Level.NONE),
        (replace(group(Level.ADMIN), scopes=frozenset({"toy:upload"})), Level.READ, Level.NONE),
        (replace(owner(), package_id=7), Level.ADMIN, Level.ADMIN),
        (replace(owner(), package_id=8), Level.READ, Level.NONE),
        (stranger(is_admin=True, package_id=8), Level.READ, Level.NONE),
        (stranger(is_admin=True, package_id=7), Level.ADMIN, Level.ADMIN),
    ],
)
def test_the_level_on_a_package_follows_the_table(closed: tuple[House, House], actor: Actor, public: Level, private: Level) -> None:
    site = closed[0].site
    assert package_level(site, actor, namespace_id=1, package_id=7, private=False) == public
    assert package_level(site, actor, namespace_id=1, package_id=7, private=True) == private


def test_a_closed_site_shows_the_anonymous_nothing(closed: tuple[House, House]) -> None:
    site = closed[1].site
    assert namespace_level(site, ANONYMOUS, namespace_id=1) == Level.NONE
    assert package_level(site, ANONYMOUS, namespace_id=1, package_id=7, private=False) == Level.NONE
    assert visible_sql(site, ANONYMOUS, 1) == ("1 = 0", [])
    assert package_level(site, replace(owner(), namespace_id=2), namespace_id=1, package_id=7, private=False) == Level.READ


def test_a_group_on_one_package_says_nothing_of_its_namespace(closed: tuple[House, House]) -> None:
    site = closed[0].site
    assert namespace_level(site, some(Level.ADMIN), namespace_id=1) == Level.READ
    assert namespace_level(site, group(Level.ADMIN), namespace_id=1) == Level.ADMIN
    assert namespace_level(site, group(Level.ADMIN), namespace_id=2) == Level.ADMIN  # his own
    assert namespace_level(site, replace(group(Level.ADMIN), package_id=7), namespace_id=1) == Level.READ


def test_grants_are_what_the_look_up_says_and_the_highest_counts() -> None:
    found = parse_grants("1:0:read 1:0:write 1:7:read 1:7:admin 1:8:write 3:9:read")
    assert found == Grants({1: Level.WRITE}, {7: Level.ADMIN, 8: Level.WRITE, 9: Level.READ}, {1: Level.ADMIN, 3: Level.READ})
    assert parse_grants(None) == parse_grants("") == Grants()


def test_writing_takes_a_credential_the_right_and_a_scope(closed: tuple[House, House]) -> None:
    on = On(1, "alice", 7, "ball", private=False)
    for actor, refusal in [
        (ANONYMOUS, Unauthenticated),
        (stranger(), PermissionDenied),
        (owner("toy:download"), PermissionDenied),
        (owner(), None),
        (owner("toy:upload"), None),
        (stranger(is_admin=True), None),
        (stranger(is_admin=True, scopes=frozenset({"toy:download"})), PermissionDenied),
        (some(Level.READ), PermissionDenied),
        (some(Level.WRITE), None),
    ]:
        if refusal is None:
            require(closed[0].site, actor, Level.WRITE, on, needs=("toy:upload",))
        else:
            with pytest.raises(refusal):
                require(closed[0].site, actor, Level.WRITE, on, needs=("toy:upload",))


def test_what_the_actor_may_not_see_is_not_found_whatever_is_asked_of_it(closed: tuple[House, House]) -> None:
    secret = On(1, "alice", 7, "ball", private=True)
    for actor in (ANONYMOUS, stranger(), some(Level.ADMIN, package=8), replace(owner(), package_id=8), owner("other")):
        with pytest.raises(NotFound, match="ball"):
            require(closed[0].site, actor, Level.ADMIN, secret, needs=("toy:upload",), reads=("toy:download",))
    with pytest.raises(PermissionDenied):  # who reads it is told what is missing
        require(closed[0].site, some(Level.READ), Level.ADMIN, secret)


def test_private_packages_are_read_with_a_right_and_a_scope_for_it() -> None:
    readers = [
        actor
        for actor in (ANONYMOUS, owner(), owner("toy:download"), owner("toy:upload"), owner("api"), stranger(), some(Level.READ), group(Level.READ))
        if reads_private(actor, namespace_id=1, package_id=7, needs=("toy:download",))
    ]
    assert readers == [owner(), owner("toy:download"), some(Level.READ), group(Level.READ)]


def test_an_audience_is_all_private_packages_or_those_that_were_given() -> None:
    for actor, audience in [
        (ANONYMOUS, ()),
        (stranger(), ()),
        (owner(), (6, 7, 8)),
        (group(Level.READ), (6, 7, 8)),
        (some(Level.READ), (7,)),
        (some(Level.READ, package=9), ()),
        (replace(owner(), package_id=8), (8,)),
        (replace(some(Level.READ), package_id=8), ()),
    ]:
        assert audience_of(actor, namespace_id=1, private=(6, 7, 8)) == audience


async def test_sql_and_levels_agree_on_what_is_visible(house: House, alice: Person, bob: Person) -> None:
    for person, private in product((alice, bob), ("true", "false")):
        await person.has(f"{person.name}-{private}.toy", build_toy(f"{person.name}-{private}"), private=private)
    actors = [ANONYMOUS, alice.actor, bob.actor, replace(alice.actor, scopes=frozenset({"toy:download"})), replace(bob.actor, is_admin=True)]
    for actor in actors:
        condition, values = visible_sql(house.site, actor, 1)
        seen = {row["name"] for row in await fetch(f"SELECT name FROM package WHERE {condition}", *values)}
        rows = await fetch("SELECT id, name, namespace_id, private FROM package")
        assert seen == {
            row["name"]
            for row in rows
            if package_level(house.site, actor, namespace_id=row["namespace_id"], package_id=row["id"], private=bool(row["private"]))
        }
