"""Distributions to install for the length of a test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a distribution for the length of a test: its entry points, and the source of its module."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules: list[str] = []

    def install(name: str, entry_points: Mapping[str, str], source: str, module: str | None = None) -> None:
        module = module or name.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        folder = tmp_path / f"{name.replace('-', '_')}-1.5.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        lines = "\n".join(f"{point} = {value}" for point, value in entry_points.items())
        (folder / "entry_points.txt").write_text(f"[entrepot]\n{lines}\n")

    yield install
    for module in modules:
        sys.modules.pop(module, None)
