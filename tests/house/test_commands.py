"""What the README tells people to type is what CI runs."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CI = (ROOT / ".ci" / "run").read_text()


def section(title: str) -> str:
    """The first block of commands below a heading of the README."""
    found = re.search(rf"^## {re.escape(title)}\n.*?^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found, f"README.md has no commands below '{title}'"
    return found[1].strip()


@pytest.mark.parametrize("title", ["Run it", "Test it"])
def test_ci_runs_the_command_of_the_readme(title: str) -> None:
    command = section(title)
    assert "\n" not in command, "one command"
    assert command in CI


def test_the_readme_installs_extras_that_exist() -> None:
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    named = {extra for extras in re.findall(r"\.\[([\w,]+)\]", README) for extra in extras.split(",")}
    assert named
    assert named <= declared


def test_every_link_of_the_manual_leads_to_a_file() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    links = [(page, target) for page in pages for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())]
    assert links
    assert [f"{page.name} → {target}" for page, target in links if not (page.parent / target).exists()] == []


def test_the_recipes_of_the_justfile_use_the_environment_of_the_readme() -> None:
    recipes = re.findall(r"^    ([^@\n].+)$", (ROOT / "justfile").read_text(), re.MULTILINE)
    assert recipes
    assert {shlex.split(recipe)[0].rpartition("/")[0] for recipe in recipes} == {".venv/bin"}
