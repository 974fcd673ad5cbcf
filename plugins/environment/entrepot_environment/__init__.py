"""Conda environment files: kept by version, described, listed, and created from their URL."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.plugin import PackageType, hookimpl

from entrepot_environment.packagetype import EnvironmentType


class EnvironmentPlugin:
    """What the entry point names."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        """The one package type."""
        return [EnvironmentType()]


plugin = EnvironmentPlugin()
