"""Conda packages: channels that conda, mamba, pixi and rattler read."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.plugin import PackageType, hookimpl

from entrepot_conda.packagetype import CondaType


class CondaPlugin:
    """What the entry point names."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        """The one package type."""
        return [CondaType()]


plugin = CondaPlugin()
