"""Relay connections over keyset pages. Everything beyond the nodes is made only where it is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import relay

from entrepot.graphql import cursor
from entrepot.services.catalog.pages import Order, Page

MAX_FIRST = 100
DEFAULT_FIRST = 20

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description=f"How many items to answer, from 1 to {MAX_FIRST}.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the item to go on behind: `endCursor` of the page before.")]


@strawberry.type(description="An item in a list, and where it stands.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(description="Hand it back as `after` to go on behind this item.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's connection."""

    nodes: list[T] = strawberry.field(description="The items of this page.")
    page: strawberry.Private[Page]
    order: strawberry.Private[Order]
    scope: strawberry.Private[cursor.Scope]
    begun: strawberry.Private[bool]
    counted: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The items of this page with their cursors.")
    def edges(self) -> list[Edge[T]]:
        """Cursors are made here, not before."""
        return [Edge(cursor=self._cursor(row), node=node) for row, node in zip(self.page.rows, self.nodes, strict=True)]

    @strawberry.field(description="Where this page stands in the list.")
    def page_info(self) -> relay.PageInfo:
        """A page that a cursor led to has items before it."""
        rows = self.page.rows
        return relay.PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.begun,
            start_cursor=self._cursor(rows[0]) if rows else None,
            end_cursor=self._cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="How many items the whole list has.")
    async def total_count(self) -> int:
        """Counted only where it is asked for."""
        return await self.counted()

    def _cursor(self, row: Any) -> str:
        return cursor.encode(self.scope, self.order.keys(row))
