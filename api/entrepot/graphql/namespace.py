"""Namespace, User and Organization in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Self

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.connection import DEFAULT_FIRST, After, First
from entrepot.graphql.context import Context, Info
from entrepot.graphql.label import Label
from entrepot.graphql.package import PackageConnection, PackageOrder, PlatformName, TypeName, order_of
from entrepot.graphql.page import ListKey, connection
from entrepot.graphql.permission import Permission, permission_of
from entrepot.graphql.scalars import Moment
from entrepot.graphql.token import TokenConnection
from entrepot.services.catalog.namespaces import namespace_by_uuid
from entrepot.services.catalog.packages import PACKAGES, PackageFilter
from entrepot.services.catalog.tokens import NEWEST_FIRST, TOKENS, may_see_tokens
from entrepot.services.permissions import namespace_level

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
    key: strawberry.Private[int]

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

    @strawberry.field(description="The user's tokens, newest first; those that ended or were revoked too. Null for who may not see them.")
    async def tokens(self, info: Info, first: First = DEFAULT_FIRST, after: After = None) -> TokenConnection | None:
        """Its owner's and the administrators' to see."""
        context = info.context
        if not may_see_tokens(context.site, context.actor, namespace_id=self.key):
            return None
        tokens = ListKey(TOKENS, self.key, None)
        return await connection(TokenConnection, context, list=tokens, parent=self.id, order=NEWEST_FIRST, first=first, after=after)


@strawberry.type(description="An organization's namespace.")
class Organization(Namespace):
    """An organization."""


def namespace_of(context: Context, row: Row) -> User | Organization:
    """From a row of the catalog."""
    kind = Organization if row["kind"] == "organization" else User
    return kind(
        id=row["uuid"],
        name=row["name"],
        display_name=row["display_name"],
        description=row["description"],
        created_at=row["created_at"],
        viewer_permission=permission_of(context.actor, namespace_level(context.site, context.actor, namespace_id=row["id"])),
        key=row["id"],
    )
