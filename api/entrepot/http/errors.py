"""Domain errors as HTTP: RFC 9457 problem details, mapped once."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

from entrepot.errors import EntrepotError, TooManyRequests
from entrepot.log import current_request

if TYPE_CHECKING:
    from starlette.requests import Request

CRASHED = "Something went wrong on the server. Its log says what; try again, and tell the operator if it stays."
READING = ("GET", "HEAD")
FOR_READING = "entrepot.for_reading"
"""In the scope of a request that would change something: its address means a document or a file, whether there is one or not."""
CHALLENGE = 'Basic realm="Entrepot", charset="UTF-8"'


def problem(status: int, message: str) -> Response:
    """An error as `application/problem+json`: `title` is the status's name, `detail` the sentence for people.

    Where it is the server's, there is the id too under which its operator finds it in the log.
    """
    members: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": message}
    request = current_request.get()
    if status >= 500 and request is not None:
        members["request_id"] = request.id
    body = orjson.dumps(members)
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = CHALLENGE
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    return Response(body, status, headers, "application/problem+json")


def problem_of(error: EntrepotError) -> Response:
    """A domain error as a response."""
    response = problem(error.status, error.message)
    if isinstance(error, TooManyRequests):
        response.headers["retry-after"] = str(error.retry_after)
    return response


async def on_domain_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for EntrepotError."""
    assert isinstance(error, EntrepotError)
    return problem_of(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for its own 404 and 405. An address that is for reading is a 405, whether something is there or not: so publishing tools
    can tell that they were given the index in place of the upload address.
    """
    status, headers = getattr(error, "status_code", 500), dict(getattr(error, "headers", None) or {})
    if status == 404 and FOR_READING in request.scope:
        status, headers = 405, {"allow": ", ".join(READING)}
    detail = {404: "There is nothing at this address.", 405: f"{request.method} is not possible at this address."}.get(status)
    response = problem(status, detail or str(getattr(error, "detail", "")) or "The request failed.")
    for name, value in headers.items():
        response.headers[name] = value
    return response


async def on_crash(request: Request, error: Exception) -> Response:
    """Starlette's handler for what nobody foresaw; the server logs it, the client learns nothing of it."""
    return problem(500, CRASHED)
