"""Scalars: the database's integers as clients want them, converted only where they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Moment = NewType("Moment", int)
"""Milliseconds since 1970, UTC, as the database stores them; a DateTime in GraphQL."""

BigInt = NewType("BigInt", int)
"""A whole number that may pass 32 bits, such as a size."""


def rfc3339(moment: int | datetime) -> str:
    """A time in UTC, to the millisecond."""
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment / 1000, UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_date_time = strawberry.scalar(
    name="DateTime",
    description="A time in UTC as RFC 3339 writes it, such as 2026-11-22T10:15:00.000Z.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=rfc3339,
    parse_value=datetime.fromisoformat,
)
_big_int = strawberry.scalar(name="BigInt", description="A whole number of up to 53 bits, as a JSON number.", serialize=int, parse_value=int)

SCALARS: dict[Any, ScalarDefinition] = {Moment: _date_time, datetime: _date_time, BigInt: _big_int}
"""For StrawberryConfig; `datetime` is there for plugins' fields."""
