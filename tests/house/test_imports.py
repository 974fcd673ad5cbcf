"""The direction of dependencies: the contracts in `.importlinter`, and no word of a package type in the core's code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT_IN = tuple(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["entrepot"])
MODULES = sorted((ROOT / "api").rglob("*.py"))


def test_dependencies_point_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_the_core_names_no_package_type(module: Path) -> None:
    named = [(line, word) for line, word in words(ast.parse(module.read_text())) if names_a_type(word)]
    assert named == []


def test_a_package_type_would_be_noticed() -> None:
    prose = '"""Like conda."""\nclass A:\n    shown = field(description="Say conda.")\n    "Say pypi."\n'
    code = f'{prose}\nfrom x import conda_thing\nkind = "pypi"\n'
    assert [word for _, word in words(ast.parse(code)) if names_a_type(word)] == ["conda_thing", "pypi"]


@pytest.mark.parametrize("word", ["The setting in the environment", "_environment"])
def test_the_environment_of_a_process_is_no_type(word: str) -> None:
    assert not names_a_type(word)


@pytest.mark.parametrize("word", ["entrepot_environment", "EnvironmentFile", "environment/", "is_environment_file", "notebooks"])
def test_the_type_environment_would_be_noticed(word: str) -> None:
    assert names_a_type(word)


def names_a_type(word: str) -> bool:
    """Whether a word of the code names a built-in type. The environment of a process is none."""
    others = [name for name in BUILT_IN if name != "environment"]
    return (
        any(name in word.lower() for name in others)
        or re.search(r"entrepot_environment|environment_?(type|file)|environment/", word, re.I) is not None
    )


def words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The identifiers and the string literals of a module, each with its line; what people read (docstrings, descriptions) may give examples."""
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) or (isinstance(node, ast.keyword) and node.arg in ("description", "help"))
    }
    for node in ast.walk(tree):
        if id(node) in prose:
            continue
        line = getattr(node, "lineno", 0)
        for _, value in ast.iter_fields(node):
            texts = value if isinstance(value, list) else [value]
            yield from ((line, text) for text in texts if isinstance(text, str))
