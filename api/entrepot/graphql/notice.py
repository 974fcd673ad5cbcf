"""Notice in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry import relay

from entrepot.db.sql import Row
from entrepot.graphql.context import Info
from entrepot.graphql.scalars import Moment
from entrepot.services.channelnotices import readable_notice

if TYPE_CHECKING:
    from entrepot.graphql.namespace import Namespace


@strawberry.enum(description="How much a notice matters.")
class NoticeLevel(Enum):
    """The levels of CEP 6."""

    INFO = strawberry.enum_value("INFO", description="Good to know.")
    WARNING = strawberry.enum_value("WARNING", description="Something may go wrong.")
    CRITICAL = strawberry.enum_value("CRITICAL", description="Something does go wrong.")


@strawberry.type(description="What the administrators of a namespace want to tell those who install from it. As public as the namespace.")
class Notice(relay.Node):
    """A notice that has not expired."""

    id: relay.NodeID[str]
    level: NoticeLevel = strawberry.field(description="How much it matters.")
    message: str = strawberry.field(description="What is told.")
    created_at: Moment = strawberry.field(description="When it was made.")
    expires_at: Moment = strawberry.field(description="Until when it is told.")
    namespace_id: strawberry.Private[int]

    @strawberry.field(description="The namespace that it is about.")
    async def namespace(self, info: Info) -> Annotated[Namespace, strawberry.lazy("entrepot.graphql.namespace")]:
        """One query for all the notices of an answer."""
        return await info.context.loaders.namespace.load(self.namespace_id)

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The notices of these ids that the actor may see."""
        context = info.context
        rows = [await readable_notice(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(row) if row else None for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the service."""
        return cls(
            id=row["uuid"],
            level=NoticeLevel[row["level"].upper()],
            message=row["message"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            namespace_id=row["namespace_id"],
        )
