"""The package type by itself: no server, no database."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection
from entrepot_pypi.packagetype import PypiType

Inspect = Callable[[tuple[str, bytes]], Inspection]


@pytest.fixture(scope="session")
def pypi() -> PypiType:
    return PypiType()


@pytest.fixture(scope="session")
def inspect(pypi: PypiType) -> Inspect:
    """Inspect a built file, given as (basename, bytes)."""
    return lambda built: pypi.inspect(io.BytesIO(built[1]), built[0])
