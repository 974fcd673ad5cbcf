"""The npm plugin needs nothing of the server but `entrepot.plugin`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ALLOWED = {"entrepot_npm", "orjson", "starlette", "strawberry", "tortoise", *sys.stdlib_module_names}
SOURCES = sorted((Path(__file__).parent / "entrepot-npm" / "entrepot_npm").rglob("*.py"))


def imported(source: Path) -> Iterator[str]:
    """The modules that a source imports, inside functions too."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield str(node.module)


def test_the_plugin_imports_entrepot_plugin_alone() -> None:
    modules = {module for source in SOURCES for module in imported(source)}
    assert "entrepot.plugin" in modules
    assert {module for module in modules if module.partition(".")[0] not in ALLOWED} == {"entrepot.plugin"}
