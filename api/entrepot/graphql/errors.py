"""Errors as GraphQL shows them: the domain's with their sentence and a code, the query's own as graphql-core words them, any other without a word."""

from __future__ import annotations

import logging
import re

from graphql import GraphQLError
from graphql.validation.validate import ValidationAbortedError

from entrepot.errors import EntrepotError

log = logging.getLogger("entrepot.graphql")

UNEXPECTED = "Something went wrong in the server; its log says what. Nothing is wrong with the query."
TOO_DEEP = "The query is nested too deeply."
TOO_TANGLED = "The query has too many mistakes, or its fragments too many uses, to be checked to the end."

UNREPEATED = (
    "This is not GraphQL, or not what the schema wants, at the place that `locations` names. No more is said, for the request may hold a password."
)
_takes_password = re.compile("password|login|register|createUser", re.IGNORECASE)


def code_of(kind: type[EntrepotError]) -> str:
    """`NotFound` is NOT_FOUND."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).upper()


def shown(error: GraphQLError) -> GraphQLError:
    """What the client is told of an error."""
    cause = _cause(error)
    if isinstance(error, ValidationAbortedError):
        return _copy(error, TOO_TANGLED, "BAD_REQUEST")
    if isinstance(cause, EntrepotError):
        return _copy(error, cause.message, code_of(type(cause)))
    if isinstance(cause, RecursionError):
        return _copy(error, TOO_DEEP, "BAD_REQUEST")
    if cause is not None:
        return _copy(error, UNEXPECTED, "INTERNAL")
    return error if error.extensions else _copy(error, error.message, "BAD_REQUEST")


def takes_password(query: str | None) -> bool:
    """Whether a request may hold a password, by what it asks for: errors of the query itself then repeat nothing of it."""
    return query is not None and _takes_password.search(query) is not None


def unrepeated(error: GraphQLError) -> GraphQLError:
    """An error of a request that may hold a password, as the client is told of it: without a word of what it was given, be that a value, a name, or
    what stands there for want of a quotation mark. What we say ourselves, with a code or as the cause, repeats nothing.
    """
    if _cause(error) is not None or error.extensions or isinstance(error, ValidationAbortedError):
        return error
    return GraphQLError(UNREPEATED, nodes=error.nodes, source=error.source, positions=error.positions, extensions={"code": "BAD_REQUEST"})


def report(error: GraphQLError) -> None:
    """Log what nobody foresaw; what a client did wrong is its own to read."""
    cause = _cause(error)
    if cause is not None and not isinstance(cause, (EntrepotError, RecursionError)):
        log.error("A resolver failed at %s.", "/".join(map(str, error.path or ())) or "the root", exc_info=cause)


def _cause(error: GraphQLError) -> BaseException | None:
    """What a resolver raised; None for an error of the query itself."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _copy(error: GraphQLError, message: str, code: str) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, source=error.source, positions=error.positions, path=error.path, extensions={"code": code})
