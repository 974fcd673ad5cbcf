"""Group in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Self

import strawberry
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.connection import DEFAULT_FIRST, After, Connection, First
from entrepot.graphql.context import Info
from entrepot.graphql.namespace import Organization, UserConnection
from entrepot.graphql.package import PackageConnection
from entrepot.graphql.page import ListKey, connection
from entrepot.graphql.permission import can
from entrepot.graphql.scalars import Moment
from entrepot.services.catalog.groups import BY_NAME, MEMBERS_OF_GROUP, PACKAGES_OF_GROUP, group_by_uuid
from entrepot.services.catalog.packages import BY_NAME as PACKAGES_BY_NAME
from entrepot.services.catalog.packages import PackageFilter
from entrepot.services.grants import Level
from entrepot.services.memberships import OWNERS


@strawberry.enum(description="What a group lets its members do with what it is about; each includes those before it.")
class GroupPermission(Enum):
    """The levels that can be given."""

    READ = strawberry.enum_value("READ", description="See, list and download.")
    WRITE = strawberry.enum_value("WRITE", description="Also upload, remove, label and edit; in a group on everything, create packages.")
    ADMIN = strawberry.enum_value("ADMIN", description="Also decide visibility and who else may do what; in a group on everything, administer.")

    @property
    def level(self) -> Level:
        """As the services know it."""
        return Level[self.name]


@strawberry.type(description="Inside an organization: some of its members, what they are about, and one permission.")
class Group(relay.Node):
    """Who was given one knows the organization's members, and so may see who is in it."""

    id: relay.NodeID[str]
    name: str = strawberry.field(description="Its name, unique in the organization, in whatever case. `owners` is the one that cannot go.")
    permission: GroupPermission = strawberry.field(description="What its members may do with what it is about.")
    everything: bool = strawberry.field(
        description="Whether it is about every package of the organization, also those to come, and the organization itself."
    )
    created_at: Moment = strawberry.field(description="When it was made.")
    key: strawberry.Private[int]
    organization_id: strawberry.Private[int]

    @strawberry.field(description="The organization that it belongs to.")
    async def organization(self, info: Info) -> Organization:
        """One query for all the groups of an answer."""
        organization = await info.context.loaders.namespace.load(self.organization_id)
        assert isinstance(organization, Organization)
        return organization

    @strawberry.field(description="Its members, by name.")
    async def members(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> UserConnection:
        """One query for all the groups of an answer."""
        members = ListKey(MEMBERS_OF_GROUP, self.key, None)
        return await connection(UserConnection, info.context, list=members, parent=self.id, order=BY_NAME, first=first, after=after)

    @strawberry.field(description="The packages that were named in it, as far as the viewer may read them; none for a group on everything.")
    async def packages(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> PackageConnection:
        """One query for all the groups of an answer."""
        packages = ListKey(PACKAGES_OF_GROUP, self.key, PackageFilter())
        return await connection(PackageConnection, info.context, list=packages, parent=self.id, order=PACKAGES_BY_NAME, first=first, after=after)

    @strawberry.field(description="Whether the viewer may change it and its members. `owners` is for owners and who administers the site.")
    async def viewer_can_administer(self, info: Info) -> bool:
        """One query for all the groups of an answer, and none but for `owners`."""
        organization = await self.organization(info)
        if self.name != OWNERS or not can(organization.viewer_permission, Level.ADMIN):
            return can(organization.viewer_permission, Level.ADMIN)
        return await info.context.loaders.changes_owners.load(self.organization_id)

    @strawberry.field(description="Whether the viewer is a member and may leave: the last owner who is not disabled may not.")
    async def viewer_can_leave(self, info: Info) -> bool:
        """One query for all the groups of an answer."""
        return info.context.actor.allows("api:write") and await info.context.loaders.may_be_left.load(self.key)

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The groups of these ids that the actor may know of."""
        rows = [await group_by_uuid(info.context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(row) if row else None for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the catalog."""
        return cls(
            id=row["uuid"],
            name=row["name"],
            permission=GroupPermission[row["permission"].upper()],
            everything=bool(row["everything"]),
            created_at=row["created_at"],
            key=row["id"],
            organization_id=row["namespace_id"],
        )


@strawberry.type(description="A page of groups.")
class GroupConnection(Connection[Group]):
    """Groups, by name."""
