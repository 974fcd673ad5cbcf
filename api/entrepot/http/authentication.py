"""From a request's credential to an Actor. Tokens only: a password is accepted nowhere but where a session or a token is made."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.errors import EntrepotError, Unauthenticated
from entrepot.http.request import Facts
from entrepot.log import current_request
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.credentials import actor_by_token, is_valid
from entrepot.services.tokens import digest_of, record_use

if TYPE_CHECKING:
    from starlette.requests import Request

    from entrepot.site import Site

log = logging.getLogger(__name__)
USE_RECORDED_EVERY = 3_600_000
INVALID = "This token is not valid: it is unknown, expired or revoked. Make a new one with `entrepot token create`."
_recording: dict[int, asyncio.Task[None]] = {}
"""By token: while the database is locked, a busy token must not queue one write per request in front of everybody else's."""


async def authenticate(site: Site, request: Request) -> Actor:
    """Who makes the request. Raises Unauthenticated for a credential that is not valid; no credential is the anonymous actor."""
    return await actor_of(site, Facts(request.scope))


async def actor_of(site: Site, facts: Facts) -> Actor:
    """Who makes the request, by its `Authorization`, `X-API-Key` or `/t/<token>/`. Raises Unauthenticated."""
    secrets = credentials(facts)
    if not secrets:
        return ANONYMOUS
    for secret in secrets:
        actor = await _owner(site, secret, facts.address)
        if actor is not None:
            request = current_request.get()
            if request is not None:
                request.user = actor.name
            return actor
    raise Unauthenticated(INVALID)


def credentials(facts: Facts) -> list[str]:
    """The secrets that a request offers, the likeliest first. Raises Unauthenticated for a header that is none."""
    if facts.path_token:
        return [facts.path_token]
    if facts.authorization:
        scheme, _, rest = facts.authorization.strip().partition(" ")
        match scheme.lower():
            case "bearer" | "token":
                return [rest.strip()]
            case "basic":
                return _basic(rest.strip())
        raise Unauthenticated("The Authorization header must be `Bearer TOKEN`, `token TOKEN`, or Basic with the user name __token__ and the token.")
    return [facts.api_key] if facts.api_key else []


def _basic(encoded: str) -> list[str]:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:
        raise Unauthenticated("The Basic credential is not base64 of user:token.") from error
    return [part for part in (password, user) if part and part != "__token__"] or [""]


async def _owner(site: Site, secret: str, address: str) -> Actor | None:
    row = await site.lookup.token(digest_of(secret))
    at = now()
    if row is None or not is_valid(row, at):
        return None
    if (row.last_used_at is None or at - row.last_used_at > USE_RECORDED_EVERY) and row.id not in _recording:
        _record_soon(row.id, at)
    return actor_by_token(row, address)


async def recorded() -> None:
    """Wait for the uses that are being recorded: before the database closes."""
    if _recording:
        await asyncio.wait(_recording.values())


def _record_soon(token_id: int, at: int) -> None:
    """Record the use beside the request: it waits for no write, and fails with none."""

    async def record() -> None:
        try:
            await record_use(token_id, at, USE_RECORDED_EVERY)
        except EntrepotError:
            log.warning("The last use of a token could not be recorded; the next use tries again.")

    task = asyncio.create_task(record())
    _recording[token_id] = task
    task.add_done_callback(lambda _: _recording.pop(token_id, None))
