"""The plugin author's guide says everything that a plugin author can use."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import entrepot.plugin
import pytest
from entrepot.hooks import FileEvent, Hooks, PackageEvent, Upload
from entrepot.plugin import PackageType, Services

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "plugins.md").read_text()
WORDS = {word for code in re.findall(r"`([^`\n]+)`", GUIDE) for word in re.findall(r"\w+", code)}
HOOKS = [name for name, member in vars(Hooks).items() if inspect.isfunction(member)]


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_in_the_guide_with_its_arguments(name: str) -> None:
    arguments = ", ".join(list(inspect.signature(getattr(Hooks, name)).parameters)[1:])
    assert f"| `{name}({arguments})` |" in GUIDE


def test_the_guide_has_no_hook_that_is_not_there() -> None:
    listed = re.findall(r"^\| `(\w+)\(\w*\)` \|", GUIDE.partition("### Hooks")[2].partition("### Names")[0], re.MULTILINE)
    assert sorted(listed) == sorted(HOOKS)


@pytest.mark.parametrize("name", entrepot.plugin.__all__)
def test_every_public_name_is_in_the_guide(name: str) -> None:
    assert name in WORDS
    assert f"`{name}`" in GUIDE.partition("### Names of `entrepot.plugin`")[2]


@pytest.mark.parametrize("owner", [PackageType, Services])
def test_every_member_of_a_package_type_and_of_the_services_is_in_the_guide(owner: type) -> None:
    members = {name for name in (*vars(owner), *getattr(owner, "__annotations__", {})) if not name.startswith("_")}
    written = set(re.findall(r"\w+", GUIDE))
    assert members - written == set()


@pytest.mark.parametrize("event", [Upload, FileEvent, PackageEvent])
def test_every_field_of_an_event_is_in_the_guide_in_order(event: type) -> None:
    fields = ", ".join(field.name for field in dataclasses.fields(event))
    assert f"`{event.__name__}`: {fields}" in GUIDE


def test_the_guides_links_lead_somewhere() -> None:
    headings = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)}
    anchors = set(re.findall(r"\]\(#([^)]+)\)", GUIDE))
    assert anchors - headings == set()
    paths = [path for path in re.findall(r"\]\(([^#)]+)\)", GUIDE) if "://" not in path]
    assert paths
    assert [path for path in paths if not (ROOT / "docs" / path).exists()] == []
