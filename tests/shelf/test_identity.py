"""Names, versions and addresses of what lies on a shelf."""

from __future__ import annotations

from typing import Any

import pytest
from entrepot.plugin import Inspection, ValidationError
from entrepot.shelf import slug
from entrepot.targets import DocumentTarget, FileTarget, NewestTarget, PartTarget, RedirectTarget
from hypothesis import given
from hypothesis import strategies as st
from recipe import RecipeType

RECIPES = RecipeType()


@pytest.mark.parametrize(
    ("rest", "target"),
    [
        ("", RedirectTarget("index.json")),
        ("index.json", DocumentTarget("index", "json")),
        ("Cake/index.json", PartTarget("index", "cake", "json")),
        ("Cake/1.0+A/My Cake.recipe", FileTarget("cake/1.0+a/My Cake.recipe")),
        ("cake/1.0/cake.recipe/photo.png", FileTarget("cake/1.0/cake.recipe", "photo.png")),
        ("cake/1.0/cake.recipe/secret.png", None),
        ("Cake.RECIPE", NewestTarget("cake")),
        ("cake.dish", NewestTarget("cake")),
        ("v1.2.recipe", NewestTarget("v1.2")),
        ("cake/Other.recipe", NewestTarget("cake", "Other.recipe", base="../")),
        ("cake/other.txt", None),
        ("cake", None),
        ("cake/", None),
        (".recipe", None),
        ("../x.recipe", None),
        ("cake/1.0/a/b/c", None),
    ],
)
def test_what_an_address_means(rest: str, target: Any) -> None:
    assert RECIPES.locate(rest, "", "") == target


@given(st.text(max_size=60))
def test_any_address_means_something_or_nothing(rest: str) -> None:
    target = RECIPES.locate(rest, "*/*", "")
    assert target is None or type(target).__name__.endswith("Target")


@pytest.mark.parametrize("name", ["", "label", "LABEL", "index.json", "a.recipe", "a.DISH", "-a", "a-", "a/b", "..", "a b", "ü", "a\n", "a" * 129])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError, match=r"\.$"):
        RECIPES.canonical_name(name)


@pytest.mark.parametrize("version", ["", "..", "a/b", "1 2", "-1", "1.", "1\n", "ü", "1" * 129])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(ValidationError, match=r"\.$"):
        RECIPES.canonical_version(version)


def test_names_and_versions_are_the_same_in_any_case() -> None:
    assert RECIPES.canonical_name("My_Cake.V2") == "my_cake.v2"
    assert RECIPES.canonical_version("1.0RC1") == "1.0rc1"
    assert RECIPES.path(Inspection(name="Cake", version="1.0A"), "X.recipe") == "cake/1.0a/X.recipe"


def test_versions_are_ordered_as_people_read_them() -> None:
    ordered = [
        "0.9",
        "1.0rc1",
        "1.0",
        "1.9",
        "1.10",
        "2026.01.02.030405",
        "2026.11.22.093015",
        "2026.11.22.093015.1",
        "2026.11.22.093015.10",
        "2027.1",
    ]
    assert sorted(set(ordered), key=RECIPES.version_key) == ordered


@given(st.text(max_size=300))
def test_a_slug_is_a_name_or_nothing(text: str) -> None:
    made = slug(text)
    assert made == "" or made in ("label",) or RECIPES.canonical_name(made) == made
