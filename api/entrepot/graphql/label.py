"""Label in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.context import Info
from entrepot.graphql.scalars import Moment
from entrepot.services.catalog.labels import label_by_uuid
from entrepot.services.grants import Level
from entrepot.services.labels import MAIN
from entrepot.services.permissions import API_WRITE, namespace_level

if TYPE_CHECKING:
    from entrepot.graphql.namespace import Namespace


@strawberry.type(description="A tag on files in a namespace that selects what a channel shows.")
class Label(relay.Node):
    """A label."""

    id: relay.NodeID[str]
    name: str = strawberry.field(description="The label's name: `main` unless an upload says otherwise.")
    locked: bool = strawberry.field(
        description="Whether only administrators of the namespace may put it on files, take it off, and remove files that have it."
    )
    locked_at: Moment | None = strawberry.field(description="When it was locked; null: it is not.")
    created_at: Moment = strawberry.field(description="When the label was made.")
    namespace_id: strawberry.Private[int]

    @strawberry.field(description="The namespace that the label belongs to.")
    async def namespace(self, info: Info) -> Annotated[Namespace, strawberry.lazy("entrepot.graphql.namespace")]:
        """One query for all the labels of an answer."""
        return await info.context.loaders.namespace.load(self.namespace_id)

    @strawberry.field(description="Whether the viewer may copy, move, lock and unlock it.")
    def viewer_can_administer(self, info: Info) -> bool:
        """Who administers the namespace may."""
        context = info.context
        return namespace_level(context.site, context.actor, namespace_id=self.namespace_id, needs=API_WRITE) == Level.ADMIN

    @strawberry.field(description="Whether the viewer may delete it: never `main`.")
    def viewer_can_delete(self, info: Info) -> bool:
        """As `viewer_can_administer`."""
        return self.name != MAIN and self.viewer_can_administer(info)

    @strawberry.field(description="Whether the viewer may put it on files and take it off, of packages that it may write to.")
    def viewer_can_use(self, info: Info) -> bool:
        """Whether no lock is in the way."""
        return info.context.actor.allows(*API_WRITE) and not info.context.actor.anonymous and (not self.locked or self.viewer_can_administer(info))

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The labels of these ids that the actor may see."""
        context = info.context
        rows = [await label_by_uuid(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(row) if row else None for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the catalog."""
        return cls(
            id=row["uuid"],
            name=row["name"],
            locked=row["locked_at"] is not None,
            locked_at=row["locked_at"],
            created_at=row["created_at"],
            namespace_id=row["namespace_id"],
        )
