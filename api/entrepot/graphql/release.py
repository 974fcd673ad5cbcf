"""Release in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.connection import DEFAULT_FIRST, After, Connection, First
from entrepot.graphql.context import Info
from entrepot.graphql.files import FileConnection
from entrepot.graphql.page import ListKey, connection
from entrepot.graphql.permission import can
from entrepot.graphql.scalars import Moment
from entrepot.services.catalog.files import FILES_OF_RELEASE, NEWEST_FIRST, FileFilter
from entrepot.services.catalog.releases import release_by_uuid
from entrepot.services.grants import Level

if TYPE_CHECKING:
    from entrepot.graphql.package import Package


@strawberry.type(description="One version of a package.")
class Release(relay.Node):
    """A release."""

    id: relay.NodeID[str]
    version: str = strawberry.field(description="The version, as the release's first file spells it.")
    created_at: Moment = strawberry.field(description="When the release's first file was uploaded.")
    key: strawberry.Private[int]
    package_id: strawberry.Private[int]

    @strawberry.field(description="The package that the release belongs to.")
    async def package(self, info: Info) -> Annotated[Package, strawberry.lazy("entrepot.graphql.package")]:
        """One query for all the releases of an answer."""
        return await info.context.loaders.package.load(self.package_id)

    @strawberry.field(description="The files of the release, newest first.")
    async def files(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> FileConnection:
        """One query for all the releases of an answer."""
        files = ListKey(FILES_OF_RELEASE, self.key, FileFilter())
        return await connection(FileConnection, info.context, list=files, parent=self.id, order=NEWEST_FIRST, first=first, after=after)

    @strawberry.field(description="Whether the viewer may remove it, but for files with a locked label: as on its package.")
    async def viewer_can_write(self, info: Info) -> bool:
        """One query for all the releases of an answer."""
        package = await info.context.loaders.package.load(self.package_id)
        return can(package.viewer_permission, Level.WRITE)

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The releases of these ids that the actor may read."""
        context = info.context
        rows = [await release_by_uuid(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(row) if row else None for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the catalog."""
        return cls(id=row["uuid"], version=row["version"], created_at=row["created_at"], key=row["id"], package_id=row["package_id"])


@strawberry.type(description="A page of releases.")
class ReleaseConnection(Connection[Release]):
    """Releases, the highest version first."""
