"""The root of queries."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import relay
from strawberry.relay.types import GlobalIDValueError

from entrepot.errors import BadRequest
from entrepot.graphql.audit import AuditEventConnection, Filter, audit_log
from entrepot.graphql.connection import DEFAULT_FIRST, After, First
from entrepot.graphql.context import Info
from entrepot.graphql.namespace import Namespace, OrderBy, Search, User, namespace_of
from entrepot.graphql.package import Package, PackageConnection, PackageOrder, PlatformName, TypeName, order_of
from entrepot.graphql.packagetype import PackageType
from entrepot.graphql.page import ListKey, connection
from entrepot.services.catalog.namespaces import namespace_named
from entrepot.services.catalog.packages import PACKAGES, PackageFilter, package_named

NOWHERE = -1
"""The inner id of no namespace."""


@strawberry.type(description="What can be asked.")
class Query:
    """The core's own fields; plugins' join them."""

    @strawberry.field(description="The user who asks; null for anonymous readers and for an organization's token.")
    async def viewer(self, info: Info) -> User | None:
        """By the actor."""
        actor = info.context.actor
        viewer = None if actor.namespace_id is None else await info.context.loaders.namespace.load(actor.namespace_id)
        return viewer if isinstance(viewer, User) else None

    @strawberry.field(description="A namespace by its name, in whatever case; null where there is none.")
    async def namespace(self, info: Info, name: Annotated[str, strawberry.argument(description="The name of the namespace.")]) -> Namespace | None:
        """By name."""
        context = info.context
        row = await namespace_named(context.site, context.actor, name=name)
        return None if row is None else namespace_of(context, row)

    @strawberry.field(description="A package by its name, in whatever case; null where there is none that the viewer may read.")
    async def package(
        self,
        info: Info,
        namespace: Annotated[str, strawberry.argument(description="The name of the namespace.")],
        name: Annotated[str, strawberry.argument(description="The name of the package.")],
    ) -> Package | None:
        """By name."""
        context = info.context
        row = await package_named(context.site, context.actor, namespace=namespace, name=name)
        return None if row is None else Package.of(context, row)

    @strawberry.field(description="The packages of the site that the viewer may read.")
    async def packages(
        self,
        info: Info,
        search: Search = None,
        namespace: Annotated[str | None, strawberry.argument(description="Only those in this namespace, by its name.")] = None,
        type: TypeName = None,
        platform: PlatformName = None,
        order_by: OrderBy = PackageOrder.NAME,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> PackageConnection:
        """A namespace that is not there has no packages."""
        context, parent, uuid = info.context, None, ""
        if namespace is not None:
            row = await namespace_named(context.site, context.actor, name=namespace)
            parent, uuid = (row["id"], row["uuid"]) if row else (NOWHERE, "nowhere")
        packages = ListKey(PACKAGES, parent, PackageFilter(search=search, type=type, platform=platform))
        return await connection(PackageConnection, context, list=packages, parent=uuid, order=order_of(order_by), first=first, after=after)

    @strawberry.field(description="The package types that this server serves, by name.")
    def package_types(self, info: Info) -> list[PackageType]:
        """From the registry."""
        return list(info.context.loaders.types.values())

    @strawberry.field(description="What was done on the whole site, newest first. Null for who does not administer it.")
    async def audit_log(self, info: Info, filter: Filter = None, first: First = DEFAULT_FIRST, after: After = None) -> AuditEventConnection | None:
        """That of namespaces which have gone, too."""
        return await audit_log(info, namespace_id=None, parent="", filter=filter, first=first, after=after)

    @strawberry.field(description="Whatever has this id; null where there is nothing that the viewer may read.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="An `id` that this server gave out.")]
    ) -> relay.Node | None:
        """Each type finds its own by `resolve_nodes`."""
        try:
            identity = relay.GlobalID.from_id(id)
            kind = identity.resolve_type(info)
        except GlobalIDValueError as error:
            raise BadRequest("`id` is no id of this server. Take it from the `id` of something that it answered.") from error
        return await kind.resolve_node(identity.node_id, info=info)  # type: ignore[no-any-return, misc]  # as Strawberry types it
