"""Package in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.connection import DEFAULT_FIRST, After, Connection, First
from entrepot.graphql.context import Context, Info
from entrepot.graphql.files import FileConnection
from entrepot.graphql.interfaces import PackageFacet
from entrepot.graphql.label import Label
from entrepot.graphql.packagetype import InstallCommands, LabelName, PackageType
from entrepot.graphql.page import ListKey, connection
from entrepot.graphql.permission import Permission, Visibility, can, permission_of
from entrepot.graphql.release import Release, ReleaseConnection
from entrepot.graphql.scalars import BigInt, Moment
from entrepot.services.catalog import groups
from entrepot.services.catalog.files import FILES_OF_PACKAGE, NEWEST_FIRST, FileFilter
from entrepot.services.catalog.packages import BY_CREATION, BY_NAME, BY_UPDATE, package_by_uuid
from entrepot.services.catalog.pages import Order
from entrepot.services.catalog.releases import BY_VERSION, RELEASES
from entrepot.services.grants import Level
from entrepot.services.labels import MAIN, label_name
from entrepot.services.permissions import package_level

if TYPE_CHECKING:
    from entrepot.graphql.namespace import Namespace, UserConnection

TypeName = Annotated[str | None, strawberry.argument(description="Only those of this package type, by its name.")]
PlatformName = Annotated[str | None, strawberry.argument(description="Only those for this platform, in the type's own words.")]


@strawberry.enum(description="In which order packages are listed.")
class PackageOrder(Enum):
    """Each is total, so that pages neither repeat nor skip."""

    NAME = strawberry.enum_value("NAME", description="By name, from a to z.")
    UPDATED = strawberry.enum_value("UPDATED", description="The last changed first.")
    CREATED = strawberry.enum_value("CREATED", description="The newest first.")


_orders = {PackageOrder.NAME: BY_NAME, PackageOrder.UPDATED: BY_UPDATE, PackageOrder.CREATED: BY_CREATION}


def order_of(order: PackageOrder | None) -> Order:
    """The order in which rows are read."""
    return _orders[order or PackageOrder.NAME]


@strawberry.type(description="A named thing in a namespace, of one or more package types.")
class Package(relay.Node):
    """A package."""

    id: relay.NodeID[str]
    name: str = strawberry.field(description="The name, as its first file, or who created it, spelled it.")
    summary: str = strawberry.field(description="What it is, in a line.")
    description: str = strawberry.field(description="What it is, at length: as its first files say it, or whoever described it since.")
    visibility: Visibility = strawberry.field(description="Who may read it.")
    created_at: Moment = strawberry.field(description="When it was created.")
    updated_at: Moment = strawberry.field(description="When it last changed.")
    viewer_permission: Permission = strawberry.field(description="What the viewer may do with it.")
    key: strawberry.Private[int]
    namespace_id: strawberry.Private[int]
    shows_collaborators: strawberry.Private[bool]

    @strawberry.field(description="The namespace that it lives in.")
    async def namespace(self, info: Info) -> Annotated[Namespace, strawberry.lazy("entrepot.graphql.namespace")]:
        """One query for all the packages of an answer."""
        return await info.context.loaders.namespace.load(self.namespace_id)

    @strawberry.field(description="Its package types.")
    async def types(self, info: Info) -> list[PackageType]:
        """One query for all the packages of an answer."""
        bindings = await info.context.loaders.bindings.load(self.key)
        return [info.context.loaders.types[name] for name in dict.fromkeys(binding["type"] for binding in bindings)]

    @strawberry.field(description="The release with the highest version; null where it has none.")
    async def latest_release(self, info: Info) -> Release | None:
        """One query for all the packages of an answer."""
        return await info.context.loaders.latest_release.load(self.key)

    @strawberry.field(description="Its releases, the highest version first.")
    async def releases(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> ReleaseConnection:
        """One query for all the packages of an answer."""
        releases = ListKey(RELEASES, self.key, None)
        return await connection(ReleaseConnection, info.context, list=releases, parent=self.id, order=BY_VERSION, first=first, after=after)

    @strawberry.field(description="Its files, newest first.")
    async def files(
        self,
        info: Info,
        type: TypeName = None,
        label: Annotated[str | None, strawberry.argument(description="Only those with this label.")] = None,
        version: Annotated[str | None, strawberry.argument(description="Only those of this version, however their type lets it be spelled.")] = None,
        platform: PlatformName = None,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> FileConnection:
        """One query for all the packages of an answer."""
        files = ListKey(FILES_OF_PACKAGE, self.key, FileFilter(type=type, label=label, version=version, platform=platform))
        return await connection(FileConnection, info.context, list=files, parent=self.id, order=NEWEST_FIRST, first=first, after=after)

    @strawberry.field(description="What its types say of it.", metadata={"items": 4})
    async def facets(self, info: Info) -> list[PackageFacet]:
        """Two queries for all the packages of an answer."""
        return await info.context.loaders.facets.load(self.key)

    @strawberry.field(description="The labels on its files, by name.")
    async def labels(self, info: Info) -> list[Label]:
        """One query for all the packages of an answer."""
        return await info.context.loaders.labels_of_package.load(self.key)

    @strawberry.field(description="How often the files that it has now were downloaded, give or take the last few seconds.")
    async def downloads(self, info: Info) -> BigInt:
        """One query for all the packages of an answer."""
        return BigInt(await info.context.loaders.downloads_of_package.load(self.key))

    @strawberry.field(description="What to type to install it: one item for each of its types that has a file with the label.")
    async def install_commands(self, info: Info, label: LabelName = MAIN) -> list[InstallCommands] | None:
        """Two queries for all the packages of an answer."""
        loaders, wanted = info.context.loaders, label_name(label or MAIN)
        bindings = await loaders.bindings.load(self.key)
        labelled = await loaders.bindings_under.load((wanted, self.key))
        return [
            loaders.types[binding["type"]].commands_for(info, namespace=binding["namespace"], name=binding["name"], label=wanted)
            for binding in bindings
            if binding["id"] in labelled
        ]

    @strawberry.field(description="The users who may write to it besides its owners and groups, by name. Null for who may not write to it.")
    async def collaborators(
        self, info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Annotated[UserConnection, strawberry.lazy("entrepot.graphql.namespace")] | None:
        """One query for all the packages of an answer."""
        from entrepot.graphql.namespace import UserConnection  # which imports this module

        if not self.shows_collaborators:
            return None
        people = ListKey(groups.COLLABORATORS, self.key, None)
        return await connection(UserConnection, info.context, list=people, parent=self.id, order=groups.BY_NAME, first=first, after=after)

    @strawberry.field(description="Whether the viewer may upload to it, remove, label and edit.")
    def viewer_can_write(self) -> bool:
        """From the permission."""
        return can(self.viewer_permission, Level.WRITE)

    @strawberry.field(description="Whether the viewer may decide who reads it and who writes to it, and delete it.")
    def viewer_can_administer(self) -> bool:
        """From the permission."""
        return can(self.viewer_permission, Level.ADMIN)

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The packages of these ids that the actor may read."""
        context = info.context
        rows = [await package_by_uuid(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(context, row) if row else None for row in rows]

    @classmethod
    def of(cls, context: Context, row: Row) -> Self:
        """From a row of the catalog."""
        private = bool(row["private"])
        level = package_level(context.site, context.actor, namespace_id=row["namespace_id"], package_id=row["id"], private=private)
        return cls(
            id=row["uuid"],
            name=row["name"],
            summary=row["summary"],
            description=row["description"],
            visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            viewer_permission=permission_of(context.actor, level),
            key=row["id"],
            namespace_id=row["namespace_id"],
            shows_collaborators=level >= Level.WRITE,
        )


@strawberry.type(description="A page of packages.")
class PackageConnection(Connection[Package]):
    """Packages, in the order that was asked for."""
