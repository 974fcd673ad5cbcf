"""The hooks: the map of what a plugin can add. Each is synchronous; all but the last four are called once, at start.

pluggy collects, objects act: a hook call costs microseconds, so nothing per request goes through here but the veto and the notifications.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import typer
    from pydantic import BaseModel
    from starlette.routing import BaseRoute

    from entrepot.inspection import Inspection
    from entrepot.packagetype import PackageType
    from entrepot.services.facade import Services

hookspec = pluggy.HookspecMarker("entrepot")
hookimpl = pluggy.HookimplMarker("entrepot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """A plugin's own tables: Tortoise models and hand-written migrations, under an app label of its own."""

    label: str
    models: str
    """The module that defines the models."""
    migrations: str
    """The package that holds the numbered migrations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What `validate_upload` judges: a file that its type has accepted, before anything is stored."""

    namespace: str
    type: str
    basename: str
    path: str
    size: int
    sha256: str
    labels: Sequence[str]
    actor: str
    inspection: Inspection


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEvent:
    """A file was published or removed; sent after the commit."""

    namespace: str
    package: str
    type: str
    version: str
    path: str
    sha256: str
    labels: Sequence[str]
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageEvent:
    """A package, or the state of its files, changed; sent after the commit."""

    namespace: str
    package: str
    action: str
    actor: str
    details: Mapping[str, Any]


class Hooks:
    """Every hook there is."""

    @hookspec
    def package_types(self) -> Sequence[PackageType]:
        """Package types that the plugin adds."""

    @hookspec
    def routes(self, services: Services) -> Sequence[BaseRoute]:
        """Routes at the root of the site; every first path segment must be in `reserved_names`."""

    @hookspec
    def graphql_types(self) -> Sequence[type]:
        """Strawberry types that the schema should know although no field names them."""

    @hookspec
    def graphql_queries(self) -> Sequence[type]:
        """Strawberry types whose fields join Query."""

    @hookspec
    def graphql_mutations(self) -> Sequence[type]:
        """Strawberry types whose fields join Mutation."""

    @hookspec
    def models(self) -> Models:
        """The plugin's own tables."""

    @hookspec
    def settings(self) -> type[BaseModel]:
        """A model of the plugin's settings; they stand in the section of the settings file that has the plugin's name."""

    @hookspec
    def scopes(self) -> Mapping[str, str]:
        """Token scopes that the plugin adds, each with a sentence for people. Types have theirs: `<type>`, `<type>:download`, `<type>:upload`."""

    @hookspec
    def reserved_names(self) -> Sequence[str]:
        """Names that no namespace may take."""

    @hookspec
    def commands(self) -> Mapping[str, typer.Typer]:
        """Command groups that join the command line, by name."""

    @hookspec
    def validate_upload(self, upload: Upload) -> None:
        """May refuse an upload by raising ValidationError, PermissionDenied or Conflict with a sentence."""

    @hookspec
    def file_published(self, event: FileEvent) -> None:
        """A file was published. Runs after the commit; an exception is logged and changes nothing."""

    @hookspec
    def file_removed(self, event: FileEvent) -> None:
        """A file was removed. Runs after the commit; an exception is logged and changes nothing."""

    @hookspec
    def package_changed(self, event: PackageEvent) -> None:
        """A package changed. Runs after the commit; an exception is logged and changes nothing."""
