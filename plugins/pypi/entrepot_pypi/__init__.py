"""Entrepot's PyPI plugin: wheels, source distributions, simple indexes and twine's uploads."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.plugin import PackageType, hookimpl

from entrepot_pypi.mutations import PypiMutation
from entrepot_pypi.packagetype import PypiType


class PypiPlugin:
    """What the entry point names."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        """The type pypi."""
        return [PypiType()]

    @hookimpl
    def graphql_mutations(self) -> Sequence[type]:
        """Yanks and statuses."""
        return [PypiMutation]


plugin = PypiPlugin()
