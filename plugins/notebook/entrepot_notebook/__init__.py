"""Jupyter notebooks: kept by version, described, listed."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.plugin import PackageType, hookimpl

from entrepot_notebook.packagetype import NotebookType


class NotebookPlugin:
    """What the entry point names."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        """The one package type."""
        return [NotebookType()]


plugin = NotebookPlugin()
