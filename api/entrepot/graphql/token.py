"""Token in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.connection import Connection
from entrepot.graphql.context import Info
from entrepot.graphql.scalars import Moment
from entrepot.services.catalog.tokens import token_by_uuid
from entrepot.services.grants import Level
from entrepot.services.permissions import API_WRITE, namespace_level

if TYPE_CHECKING:
    from entrepot.graphql.namespace import Namespace
    from entrepot.graphql.package import Package


@strawberry.type(description="A named, scoped, expiring credential. Its secret is shown once, when it is made.")
class Token(relay.Node):
    """A token."""

    id: relay.NodeID[str]
    name: str = strawberry.field(description="What its owner calls it.")
    scopes: list[str] = strawberry.field(description="What it may be used for.")
    created_at: Moment = strawberry.field(description="When it was made.")
    expires_at: Moment | None = strawberry.field(description="When it ends; null: never.")
    last_used_at: Moment | None = strawberry.field(description="When it was used last, to the hour; null: never.")
    revoked_at: Moment | None = strawberry.field(description="When it was revoked; null: it was not.")
    bound: bool = strawberry.field(description="Whether it works on one package alone.")
    namespace_id: strawberry.Private[int]
    package_id: strawberry.Private[int | None]

    @strawberry.field(description="Whom it stands for: a user, or an organization.")
    async def owner(self, info: Info) -> Annotated[Namespace, strawberry.lazy("entrepot.graphql.namespace")]:
        """One query for all the tokens of an answer."""
        return await info.context.loaders.namespace.load(self.namespace_id)

    @strawberry.field(description="The package that it is bound to; null: to none, or to one that the viewer may not read (any more).")
    async def package(self, info: Info) -> Annotated[Package, strawberry.lazy("entrepot.graphql.package")] | None:
        """One query for all the tokens of an answer."""
        return None if self.package_id is None else await info.context.loaders.readable_package.load(self.package_id)

    @strawberry.field(description="Whether the viewer may revoke it: not one that is revoked already.")
    def viewer_can_revoke(self, info: Info) -> bool:
        """Who administers the namespace may."""
        context = info.context
        level = namespace_level(context.site, context.actor, namespace_id=self.namespace_id, needs=API_WRITE)
        return self.revoked_at is None and level == Level.ADMIN

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The tokens of these ids that the actor may see."""
        context = info.context
        rows = [await token_by_uuid(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(row) if row else None for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the catalog."""
        times = {name: row[name] for name in ("created_at", "expires_at", "last_used_at", "revoked_at")}
        bond = {"bound": row["package_id"] is not None, "package_id": row["package_id"], "namespace_id": row["namespace_id"]}
        return cls(id=row["uuid"], name=row["name"], scopes=row["scopes"].split(), **bond, **times)


@strawberry.type(description="A page of tokens.")
class TokenConnection(Connection[Token]):
    """Tokens, newest first."""
