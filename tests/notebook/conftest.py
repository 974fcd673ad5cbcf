"""The package type by itself."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection
from entrepot_notebook.packagetype import NotebookType
from hypothesis import settings

# A deadline would measure what else the machine is doing.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

Inspect = Callable[..., Inspection]
Detect = Callable[..., bool]


@pytest.fixture(scope="session")
def notebook() -> NotebookType:
    return NotebookType()


@pytest.fixture(scope="session")
def inspect(notebook: NotebookType) -> Inspect:
    """Inspect bytes under a name."""
    return lambda body, basename="analysis.ipynb": notebook.inspect(io.BytesIO(body), basename)


@pytest.fixture(scope="session")
def detect(notebook: NotebookType) -> Detect:
    """Whether bytes under a name are a notebook."""
    return lambda body, basename="analysis": notebook.detect(io.BytesIO(body), basename)
