"""Scalars: the database's integers as clients want them, converted only where they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Moment = NewType("Moment", int)
"""Milliseconds since 1970, UTC, as the database stores them; a DateTime in GraphQL."""

BigInt = NewType("BigInt", int)
"""A whole number that may pass 32 bits, such as a size."""


def rfc3339(moment: int | datetime) -> str:
    """A time in UTC, to the millisecond."""
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment / 1000, UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: object) -> datetime:
    """A time that a client says; one without a zone is in UTC. Raises GraphQLError."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise GraphQLError(f"{str(text)[:40]!r} is no time. Write it as 2026-11-22T10:15:00Z.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def whole_number_of(value: object) -> int:
    """A whole number that a client says, as a JSON number. Raises GraphQLError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise GraphQLError("A BigInt is a whole number, written as a JSON number.")
    return value


_date_time = strawberry.scalar(
    name="DateTime",
    description="A time in UTC as RFC 3339 writes it, such as 2026-11-22T10:15:00.000Z.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=rfc3339,
    parse_value=moment_of,
)
_big_int = strawberry.scalar(
    name="BigInt", description="A whole number of up to 53 bits, as a JSON number.", serialize=int, parse_value=whole_number_of
)

SCALARS: dict[Any, ScalarDefinition] = {Moment: _date_time, datetime: _date_time, BigInt: _big_int}
"""For StrawberryConfig; `datetime` is there for plugins' fields."""
