"""One page of a list: from the arguments of a field to a connection."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import orjson

from entrepot.errors import BadRequest
from entrepot.graphql import cursor
from entrepot.graphql.connection import DEFAULT_FIRST, MAX_FIRST, Connection
from entrepot.graphql.context import Context
from entrepot.services.catalog.audit import AuditFilter
from entrepot.services.catalog.files import FileFilter
from entrepot.services.catalog.groups import KnownOrganizations
from entrepot.services.catalog.packages import PackageFilter
from entrepot.services.catalog.pages import Keys, Order, Page, Source

Filter = PackageFilter | FileFilter | AuditFilter | KnownOrganizations | None


class ListKey(NamedTuple):
    """Which rows are meant: those of a parent (None: of the site) that a filter lets through."""

    source: Source
    parent: int | None
    wanted: Filter


class PageKey(NamedTuple):
    """Which page of which list."""

    list: ListKey
    order: Order
    first: int
    after: Keys | None


class Loaded(NamedTuple):
    """A page, and its rows as GraphQL objects."""

    page: Page
    nodes: list[Any]


C = TypeVar("C", bound=Connection[Any])


async def connection(kind: type[C], context: Context, *, list: ListKey, parent: str, order: Order, first: int | None, after: str | None) -> C:
    """The page that a field's arguments ask for; `parent` is the random id of what the list is a part of.

    Raises BadRequest for a size that is out of bounds and for a cursor from elsewhere.
    """
    wanted = "" if list.wanted is None else orjson.dumps(list.wanted).decode()
    scope = cursor.Scope(list=f"{list.source.table}.{list.source.parent}", parent=parent, order=order.name, filter=wanted)
    place = None if after is None else cursor.decode(scope, order, after)
    loaded = await context.loaders.page.load(PageKey(list, order, _size(first), place))
    return kind(
        nodes=loaded.nodes, page=loaded.page, order=order, scope=scope, begun=place is not None, counted=lambda: context.loaders.count.load(list)
    )


def _size(first: int | None) -> int:
    size = DEFAULT_FIRST if first is None else first
    if not 1 <= size <= MAX_FIRST:
        raise BadRequest(f"`first` must be from 1 to {MAX_FIRST}; here it is {size}. Go on with `after` for more.")
    return size
