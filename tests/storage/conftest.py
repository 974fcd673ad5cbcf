"""A storage in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from entrepot.storage import LocalStorage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def storage(folder: Path) -> LocalStorage:
    return LocalStorage(folder)
