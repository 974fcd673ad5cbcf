"""Namespace, User and Organization in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.audit import AuditEventConnection, Filter, audit_log
from entrepot.graphql.connection import DEFAULT_FIRST, After, Connection, First
from entrepot.graphql.context import Context, Info
from entrepot.graphql.label import Label
from entrepot.graphql.notice import Notice
from entrepot.graphql.package import PackageConnection, PackageOrder, PlatformName, TypeName, order_of
from entrepot.graphql.page import ListKey, connection
from entrepot.graphql.permission import Permission, Visibility, can, permission_of, visibility_of
from entrepot.graphql.scalars import Moment
from entrepot.graphql.session import Session
from entrepot.graphql.strictness import Strictness, graphql_strictness
from entrepot.graphql.token import TokenConnection
from entrepot.services.catalog.groups import BY_NAME, GROUPS, MEMBERS_OF_ORGANIZATION, ORGANIZATIONS_OF_USER, KnownOrganizations
from entrepot.services.catalog.namespaces import namespace_by_uuid
from entrepot.services.catalog.packages import PACKAGES, PackageFilter
from entrepot.services.catalog.tokens import NEWEST_FIRST, TOKENS, may_see_tokens
from entrepot.services.grants import Level
from entrepot.services.permissions import namespace_level
from entrepot.services.sessions import list_sessions

if TYPE_CHECKING:
    from entrepot.graphql.group import GroupConnection

Search = Annotated[str | None, strawberry.argument(description="Words, each of which the name or the summary contains, in whatever case.")]
OrderBy = Annotated[PackageOrder | None, strawberry.argument(description="The order of the list.")]


@strawberry.interface(description="Where packages live: a user's or an organization's.")
class Namespace(relay.Node):
    """A namespace."""

    id: relay.NodeID[str]
    name: str = strawberry.field(description="The name, the first segment of its URLs. Unique, in whatever case it is written.")
    display_name: str = strawberry.field(description="What people read; empty where nobody set it.")
    description: str = strawberry.field(description="What its owner says of it.")
    created_at: Moment = strawberry.field(description="When it was created.")
    viewer_permission: Permission = strawberry.field(description="What the viewer may do with it.")
    default_visibility: Visibility | None = strawberry.field(
        description="Who may read the packages that are new here, where nobody says otherwise; null for who may not write here."
    )
    strictness: Strictness | None = strawberry.field(
        description="How much is asked of files that are uploaded here; null for who may not write here."
    )
    key: strawberry.Private[int]

    @strawberry.field(description="Whether the viewer may create packages here, and so upload files of any name.")
    def viewer_can_create_packages(self) -> bool:
        """From the permission."""
        return can(self.viewer_permission, Level.WRITE)

    @strawberry.field(description="Whether the viewer may change what is said here, its labels, tokens and groups, and delete it.")
    def viewer_can_administer(self) -> bool:
        """From the permission."""
        return can(self.viewer_permission, Level.ADMIN)

    @strawberry.field(description="Its packages.")
    async def packages(
        self,
        info: Info,
        search: Search = None,
        type: TypeName = None,
        platform: PlatformName = None,
        order_by: OrderBy = PackageOrder.NAME,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> PackageConnection:
        """One query for all the namespaces of an answer."""
        packages = ListKey(PACKAGES, self.key, PackageFilter(search=search, type=type, platform=platform))
        return await connection(PackageConnection, info.context, list=packages, parent=self.id, order=order_of(order_by), first=first, after=after)

    @strawberry.field(description="Its labels, by name: `main`, and those on files that the viewer may read; all of them for who may write here.")
    async def labels(self, info: Info) -> list[Label]:
        """One query for all the namespaces of an answer."""
        return await info.context.loaders.labels_of_namespace.load(self.key)

    @strawberry.field(description="What its administrators want to tell those who install from it, newest first; what has expired is not there.")
    async def notices(self, info: Info) -> list[Notice]:
        """One query for all the namespaces of an answer."""
        return await info.context.loaders.notices_of_namespace.load(self.key)

    @strawberry.field(description="Its tokens, newest first; those that ended or were revoked too. Null for who does not administer it.")
    async def tokens(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> TokenConnection | None:
        """One query for the tokens of each namespace."""
        context = info.context
        if not may_see_tokens(context.site, context.actor, namespace_id=self.key):
            return None
        tokens = ListKey(TOKENS, self.key, None)
        return await connection(TokenConnection, context, list=tokens, parent=self.id, order=NEWEST_FIRST, first=first, after=after)

    @strawberry.field(description="What was done in it and to it, newest first. Null for who does not administer it.")
    async def audit_log(self, info: Info, filter: Filter = None, first: First = DEFAULT_FIRST, after: After = None) -> AuditEventConnection | None:
        """Who administers a namespace sees everything there."""
        return await audit_log(info, namespace_id=self.key, parent=self.id, filter=filter, first=first, after=after)

    @classmethod
    def resolve_type(cls, value: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str:
        """The quickest way from an object to its GraphQL type."""
        return type(value).__name__

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The namespaces of these ids that the actor may see."""
        context = info.context
        rows = [await namespace_by_uuid(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        found = [namespace_of(context, row) if row else None for row in rows]
        return [namespace if isinstance(namespace, cls) else None for namespace in found]


@strawberry.type(description="A person's namespace.")
class User(Namespace):
    """A user."""

    @strawberry.field(description="The viewer's own sessions, the one used last first, up to 100; null for those of anybody else.")
    async def sessions(self, info: Info) -> list[Session] | None:
        """The user's own to see."""
        context = info.context
        if self.key != context.actor.namespace_id or not may_see_tokens(context.site, context.actor, namespace_id=self.key):
            return None
        return [Session.of(one) for one in await list_sessions(context.actor)]

    @strawberry.field(
        description="The organizations that the user belongs to, by name, as far as the viewer may know: as a member, or who administers."
    )
    async def organizations(
        self, info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Annotated[OrganizationConnection, strawberry.lazy("entrepot.graphql.namespace")]:
        """One query for all the users of an answer."""
        organizations = ListKey(ORGANIZATIONS_OF_USER, self.key, KnownOrganizations())
        return await connection(OrganizationConnection, info.context, list=organizations, parent=self.id, order=BY_NAME, first=first, after=after)


@strawberry.type(description="A page of users.")
class UserConnection(Connection[User]):
    """Users, by name."""


@strawberry.type(description="An organization's namespace.")
class Organization(Namespace):
    """Who belongs to it is for its members to see, for its own tokens, and for who administers the site: to others its groups do not exist."""

    @strawberry.field(description="Its groups, by name. Null for who does not belong to it.")
    async def groups(
        self, info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Annotated[GroupConnection, strawberry.lazy("entrepot.graphql.group")] | None:
        """Two queries for all the organizations of an answer."""
        from entrepot.graphql.group import GroupConnection  # which imports this module

        if not await info.context.loaders.known_organization.load(self.key):
            return None
        groups = ListKey(GROUPS, self.key, None)
        return await connection(GroupConnection, info.context, list=groups, parent=self.id, order=BY_NAME, first=first, after=after)

    @strawberry.field(description="The members of any of its groups, by name. Null for who does not belong to it.")
    async def members(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> UserConnection | None:
        """Two queries for all the organizations of an answer."""
        if not await info.context.loaders.known_organization.load(self.key):
            return None
        members = ListKey(MEMBERS_OF_ORGANIZATION, self.key, None)
        return await connection(UserConnection, info.context, list=members, parent=self.id, order=BY_NAME, first=first, after=after)


@strawberry.type(description="A page of organizations.")
class OrganizationConnection(Connection[Organization]):
    """Organizations, by name."""


def namespace_of(context: Context, row: Row) -> User | Organization:
    """From a row of the catalog."""
    kind = Organization if row["kind"] == "organization" else User
    permission = permission_of(context.actor, namespace_level(context.site, context.actor, namespace_id=row["id"]))
    return kind(
        id=row["uuid"],
        name=row["name"],
        display_name=row["display_name"],
        description=row["description"],
        created_at=row["created_at"],
        viewer_permission=permission,
        default_visibility=visibility_of(row["default_visibility"]) if can(permission, Level.WRITE) else None,
        strictness=graphql_strictness(row["strictness"]) if can(permission, Level.WRITE) else None,
        key=row["id"],
    )
