"""Pages of a table in a total order, by keyset: a page goes on where the last one ended, whatever was added or removed in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from entrepot.db.sql import Row, fetch, marks

Keys = tuple[Any, ...]
"""Where a row stands in an order: its values of the order's columns."""


class Order(NamedTuple):
    """A total order of a table. The last column is the random id, so that no two rows stand in one place and no cursor tells an inner number."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[type, ...]
    """The Python type of each column's values."""
    descending: bool = False

    def keys(self, row: Row) -> Keys:
        """The place of a row."""
        return tuple(row[column] for column in self.columns)


class Source(NamedTuple):
    """What pages are made of."""

    table: str
    parent: str
    """The column that says to whom a row belongs."""
    columns: str
    joins: str = ""
    """Tables that the columns need besides."""
    rows: str = ""
    """What stands under the table's name in its place, where rows of it belong to several parents: `(SELECT …) AS table`."""

    @property
    def origin(self) -> str:
        """What is read."""
        return self.rows or self.table


@dataclass(slots=True)
class Condition:
    """A WHERE clause with its values, gathered."""

    parts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    @property
    def next(self) -> int:
        """The number of the next placeholder."""
        return len(self.values) + 1

    def add(self, text: str, *values: Any) -> None:
        """Take a condition in; its values stand as `{0}`, `{1}` …"""
        self.parts.append(text.format(*(f"${self.next + index}" for index in range(len(values)))))
        self.values += values

    def add_numbered(self, numbered: tuple[str, list[Any]]) -> None:
        """Take a condition in whose placeholders were numbered from `next`."""
        self.parts.append(numbered[0])
        self.values += numbered[1]

    def add_among(self, column: str, values: Sequence[Any]) -> None:
        """The column is one of the values."""
        self.add_numbered((f"{column} IN ({marks(values, self.next)})", list(values)))

    def __str__(self) -> str:
        return " AND ".join(f"({part})" for part in self.parts) or "1 = 1"


class Page(NamedTuple):
    """Some rows in their order, and whether there are more behind them."""

    rows: Sequence[Row]
    has_next: bool


async def page(source: Source, condition: Condition, order: Order, *, first: int, after: Keys | None) -> Page:
    """The first rows behind `after`."""
    if after is not None:
        _go_on(source, condition, order, after)
    rows = await fetch(
        f"SELECT {source.columns} FROM {source.origin} {source.joins} WHERE {condition} ORDER BY {_sorting(source, order)} LIMIT {first + 1}",
        *condition.values,
    )
    return Page(rows[:first], len(rows) > first)


async def pages(source: Source, condition: Condition, order: Order, *, parents: Sequence[int], first: int) -> dict[int, Page]:
    """The first rows of each parent, in one statement."""
    condition.add_among(f"{source.table}.{source.parent}", parents)
    table = source.table
    rows = await fetch(
        f"""SELECT {source.columns} FROM (
            SELECT {table}.id AS picked, {table}.{source.parent} AS owner,
                ROW_NUMBER() OVER (PARTITION BY {table}.{source.parent} ORDER BY {_sorting(source, order)}) AS place
            FROM {source.origin} WHERE {condition}
        ) AS ranked JOIN {source.origin} ON {table}.id = ranked.picked AND {table}.{source.parent} = ranked.owner {source.joins}
        WHERE ranked.place <= {first + 1} ORDER BY ranked.place""",
        *condition.values,
    )
    found: dict[int, list[Row]] = {parent: [] for parent in parents}
    for row in rows:
        found[row[source.parent]].append(row)
    return {parent: Page(some[:first], len(some) > first) for parent, some in found.items()}


async def count(source: Source, condition: Condition) -> int:
    """How many rows there are."""
    rows = await fetch(f"SELECT COUNT(*) AS total FROM {source.origin} WHERE {condition}", *condition.values)
    return int(rows[0]["total"])


async def counts(source: Source, condition: Condition, *, parents: Sequence[int]) -> dict[int, int]:
    """How many rows each parent has, in one statement."""
    parent = f"{source.table}.{source.parent}"
    condition.add_among(parent, parents)
    rows = await fetch(f"SELECT {parent} AS parent, COUNT(*) AS total FROM {source.origin} WHERE {condition} GROUP BY {parent}", *condition.values)
    return dict.fromkeys(parents, 0) | {row["parent"]: row["total"] for row in rows}


def _sorting(source: Source, order: Order) -> str:
    direction = " DESC" if order.descending else ""
    return ", ".join(f"{source.table}.{column}{direction}" for column in order.columns)


def _go_on(source: Source, condition: Condition, order: Order, after: Keys) -> None:
    columns = ", ".join(f"{source.table}.{column}" for column in order.columns)
    places = ", ".join(f"{{{index}}}" for index in range(len(after)))
    condition.add(f"({columns}) {'<' if order.descending else '>'} ({places})", *after)
