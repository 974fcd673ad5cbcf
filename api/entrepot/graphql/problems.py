"""What a mutation may be refused with, as types: each stands in the union that a mutation answers with. The domain's errors are mapped here, once.

What no mutation can do anything about (no credential, a scope that is missing, a database that is away) is no member of a union: it is an error of
the request, with its code (`errors.py`).
"""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from entrepot.errors import (
    BadRequest,
    Conflict,
    EntrepotError,
    NotFound,
    PermissionDenied,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    ValidationError,
)


@strawberry.interface(description="Why a mutation changed nothing.")
class Error:
    """What every typed error has."""

    message: str = strawberry.field(description="What is wrong and what to do, in a sentence or two.")


@strawberry.type(description="What the mutation is about does not exist, or not for the viewer: the two answer alike.")
class NotFoundError(Error):
    """NotFound."""


@strawberry.type(description="The viewer may see it, but may not do this to it.")
class PermissionDeniedError(Error):
    """PermissionDenied."""


@strawberry.type(description="The state of the server contradicts the request.")
class ConflictError(Error):
    """Conflict."""


@strawberry.type(description="Somebody, perhaps somebody else, has tried too often. The same may be done after a pause.")
class TooManyRequestsError(Error):
    """TooManyRequests."""

    retry_after: int = strawberry.field(description="How long the pause is, in seconds.")


@strawberry.type(name="ValidationError", description="The input is not acceptable.")
class InvalidInputError(Error):
    """ValidationError, and what else is wrong with what was sent."""

    field: str | None = strawberry.field(description="The field of the input that is meant; null where it is not one alone.")


class OnNotFound(strawberry.ExceptionHandler[NotFound, NotFoundError]):
    """Maps NotFound."""

    def handle(self, exception: NotFound, *, field: Any, info: Any) -> NotFoundError:
        """As data."""
        return NotFoundError(message=exception.message)


class OnPermissionDenied(strawberry.ExceptionHandler[PermissionDenied | Unauthenticated, PermissionDeniedError]):
    """Maps PermissionDenied, and Unauthenticated for one-time credentials that have died."""

    def handle(self, exception: PermissionDenied | Unauthenticated, *, field: Any, info: Any) -> PermissionDeniedError:
        """As data."""
        return PermissionDeniedError(message=exception.message)


class OnConflict(strawberry.ExceptionHandler[Conflict, ConflictError]):
    """Maps Conflict."""

    def handle(self, exception: Conflict, *, field: Any, info: Any) -> ConflictError:
        """As data."""
        return ConflictError(message=exception.message)


class OnInvalidInput(strawberry.ExceptionHandler[ValidationError | BadRequest | TooLarge, InvalidInputError]):
    """Maps ValidationError, BadRequest and TooLarge."""

    def handle(self, exception: EntrepotError, *, field: Any, info: Any) -> InvalidInputError:
        """As data, with the field as GraphQL spells it."""
        named = getattr(exception, "field", None)
        return InvalidInputError(message=exception.message, field=to_camel_case(named) if named else None)


class OnTooManyRequests(strawberry.ExceptionHandler[TooManyRequests, TooManyRequestsError]):
    """Maps TooManyRequests."""

    def handle(self, exception: TooManyRequests, *, field: Any, info: Any) -> TooManyRequestsError:
        """As data."""
        return TooManyRequestsError(message=exception.message, retry_after=exception.retry_after)


HANDLERS = (OnNotFound(), OnPermissionDenied(), OnConflict(), OnInvalidInput(), OnTooManyRequests())


def problem_of(error: EntrepotError) -> Error:
    """A domain error as data, where it stands in a payload beside what went well."""
    return (NotFoundError if isinstance(error, NotFound) else PermissionDeniedError)(message=error.message)
