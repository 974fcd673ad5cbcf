"""npm packages for Entrepot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from entrepot.plugin import Models, PackageType, hookimpl

from entrepot_npm.graphql import NpmQuery
from entrepot_npm.mutation import NpmMutation
from entrepot_npm.packagetype import Npm
from entrepot_npm.tags import SCOPE


class Plugin:
    """What the entry point names: one object with the hooks that this plugin has."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        """One type."""
        return [Npm()]

    @hookimpl
    def graphql_queries(self) -> Sequence[type]:
        """The history of the dist-tags."""
        return [NpmQuery]

    @hookimpl
    def graphql_mutations(self) -> Sequence[type]:
        """Moving one."""
        return [NpmMutation]

    @hookimpl
    def models(self) -> Models:
        """The table of that history."""
        return Models(label="npm", models="entrepot_npm.models", migrations="entrepot_npm.migrations")

    @hookimpl
    def scopes(self) -> Mapping[str, str]:
        """One beside the three that every type has."""
        return {SCOPE: "Move and remove the dist-tags of npm packages."}


plugin = Plugin()
