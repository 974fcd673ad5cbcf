"""What a namespace may be called."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrepot.db.connection import database
from entrepot.db.sql import transaction
from entrepot.errors import Conflict, NotFound, PluginError, ValidationError
from entrepot.plugin import hookimpl
from entrepot.registry import Registry
from entrepot.services.namespaces import add_namespace, check_existing, check_name, namespace_row
from entrepot.settings import Settings
from ground import Ground
from hypothesis import given
from hypothesis import strategies as st


class Harbour:
    """A plugin that reserves a name."""

    @hookimpl
    def reserved_names(self) -> list[str]:
        return ["harbour"]


bare = Registry.of({})
registry = Registry.of({"harbours": Harbour()})


@pytest.fixture
async def empty(tmp_path: Path, ground: Ground) -> AsyncIterator[None]:
    settings = Settings(data=ground.data(tmp_path / "data"))
    async with database(settings):
        yield


@pytest.mark.parametrize("name", ["a", "7", "Alice", "a-b_c.d", "a" * 64, "conda-forge", "x..y"])
def test_letters_digits_and_three_marks_make_a_name(name: str) -> None:
    check_name(registry, name)


@pytest.mark.parametrize(
    "name",
    ["", "a" * 65, ".", "..", "-a", "_a", ".a", "a/b", "a b", "a\n", "a\0", "älice", "аlice", "ａlice", "a\u200b", "١", "\u212a", "a%2f", "~root"],
)
def test_anything_else_and_every_look_alike_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="letters"):
        check_name(registry, name)


@given(st.text(max_size=70))
def test_a_name_that_passes_is_safe_in_a_url_and_a_host(name: str) -> None:
    try:
        check_name(bare, name)
    except ValidationError:
        return
    assert re.fullmatch("[a-zA-Z0-9][a-zA-Z0-9._-]*", name, re.ASCII)
    assert name.lower() not in bare.reserved_names


@pytest.mark.parametrize("name", ["graphql", "GraphQL", "t", "upload", "healthz", "org", "api", "harbour", "Harbour", "harbours"])
def test_the_words_of_the_server_and_of_its_plugins_are_reserved(name: str) -> None:
    with pytest.raises(ValidationError, match="reserved"):
        check_name(registry, name)


def test_without_the_plugin_its_word_is_free() -> None:
    check_name(bare, "harbour")


@pytest.mark.usefixtures("empty")
async def test_a_namespace_is_found_in_whatever_case() -> None:
    async with transaction():
        await add_namespace(name="Alice", kind="user")
    assert (await namespace_row("aLICE"))["name"] == "Alice"
    with pytest.raises(NotFound, match="There is no namespace bob"):
        await namespace_row("bob")


@pytest.mark.usefixtures("empty")
async def test_a_taken_name_is_a_conflict() -> None:
    async with transaction():
        await add_namespace(name="Alice", kind="user")
    with pytest.raises(Conflict):
        async with transaction():
            await add_namespace(name="alice", kind="organization")


@pytest.mark.usefixtures("empty")
async def test_a_plugin_that_reserves_the_name_of_a_namespace_stops_the_start() -> None:
    async with transaction():
        await add_namespace(name="Harbour", kind="user")
    await check_existing(bare)
    with pytest.raises(PluginError, match="Harbour"):
        await check_existing(registry)
