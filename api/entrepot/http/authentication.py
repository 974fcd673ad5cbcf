"""From a request's credential to an Actor: a token, or the session in a cookie (`cookies.py` says where that counts).

A password is accepted nowhere but where a session is made (`services/accounts.py`): what stands in its place elsewhere is looked up as a token.

A browser remembers what it was told as Basic, and sends it whoever asks, as it does a cookie: so Basic changes something only where no page of
another site asks. The programs that publish with it send neither `Origin` nor `Sec-Fetch-Site`.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from entrepot.clock import now
from entrepot.errors import EntrepotError, PermissionDenied, Unauthenticated
from entrepot.http.cookies import SessionCookie, from_own_page, may_read, secret_of
from entrepot.http.request import Facts
from entrepot.log import current_request
from entrepot.services import sessions, tokens
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.credentials import actor_by_session, actor_by_token, is_valid
from entrepot.services.tokens import digest_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from entrepot.db.lookup import CredentialRow
    from entrepot.site import Site

log = logging.getLogger(__name__)
USE_RECORDED_EVERY = 3_600_000
INVALID = "This token is not valid: it is unknown, expired or revoked. Make a new one with `entrepot token create`."
REMEMBERED = (
    "This request does not come from a page of this site, so what a browser remembers as Basic changes nothing. "
    "Programs send the token as `Authorization: Bearer TOKEN`, or leave out `Origin` and `Sec-Fetch-Site`."
)
_recording: dict[str, asyncio.Task[None]] = {}
"""By token or session: while the database is locked, a busy one must not queue one write per request in front of everybody else's."""
_renewing: set[int] = set()
"""Sessions that get another secret just now, by their inner ids; for the same reason."""


async def authenticate(site: Site, request: Request) -> Actor:
    """Who makes the request; no credential is the anonymous actor.

    Raises Unauthenticated for a credential that is not valid, and PermissionDenied for Basic of which a page of another site makes use.
    """
    return await actor_of(site, Facts(request.scope))


async def actor_of(site: Site, facts: Facts) -> Actor:
    """Who makes the request, by its `Authorization`, `X-API-Key` or `/t/<token>/`; where it only reads, by its cookie too.

    Raises Unauthenticated, PermissionDenied.
    """
    secrets = _offered(site, facts)
    if secrets:
        return await _by_token(site, secrets, facts)
    if facts.cookie and facts.reading:
        secret = secret_of(site, facts)
        if secret and may_read(site, facts):
            return await _by_session(site, secret, facts)
    return ANONYMOUS


async def actor_to_act(site: Site, facts: Facts, cookie: SessionCookie) -> Actor:
    """Who makes a request to the API, where a session may act as well as read. Raises Unauthenticated, and PermissionDenied for a POST with the
    session, or the Basic credential, of one whom a page of another site has made send it.
    """
    secrets = _offered(site, facts)
    if secrets:
        return await _by_token(site, secrets, facts)
    if not cookie.secret:
        return replace(ANONYMOUS, address=facts.address)
    if not facts.reading:
        cookie.require_own_page()
    elif not from_own_page(site, facts):
        return replace(ANONYMOUS, address=facts.address)
    return await _by_session(site, cookie.secret, facts, cookie)


def _offered(site: Site, facts: Facts) -> list[str]:
    """The secrets of a request that counts. Raises Unauthenticated, PermissionDenied."""
    secrets = credentials(facts)
    if not facts.reading and facts.authorization and facts.authorization.lstrip()[:5].lower() == "basic" and not from_own_page(site, facts):
        raise PermissionDenied(REMEMBERED)
    return secrets


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


async def _by_token(site: Site, secrets: list[str], facts: Facts) -> Actor:
    for secret in secrets:
        row = await site.lookup.token(digest_of(secret))
        if row is not None and _opens(row, "token"):
            return _noted(actor_by_token(row, facts.address))
    raise Unauthenticated(INVALID)


async def _by_session(site: Site, secret: str, facts: Facts, cookie: SessionCookie | None = None) -> Actor:
    """Who is logged in; anonymous where the session has ended. With the answer's cookie, a session gets another secret when it is time."""
    row = await site.lookup.session(digest_of(secret))
    if row is None or not _opens(row, "session"):
        return replace(ANONYMOUS, address=facts.address)
    if cookie is not None and row.given_at is not None and now() - row.given_at > sessions.RENEWED_AFTER:
        await _renew(row.id, row.given_at, cookie)
    elif row.unused:
        _record_soon(f"secret {row.id}", lambda: sessions.record_rotation(row.id, secret, now()))
    return _noted(actor_by_session(row, facts.address))


async def _renew(session_id: int, given_at: int, cookie: SessionCookie) -> None:
    """Give the session another secret, if the database takes it and no other request is at it; the one that came along goes on counting."""
    if session_id in _renewing:
        return
    _renewing.add(session_id)
    try:
        renewed = await sessions.renew(session_id=session_id, secret=cookie.secret, given_at=given_at)
    except EntrepotError:
        log.warning("A session could not be given another secret; the next request tries again.")
    else:
        if renewed is not None:
            cookie.hold(renewed)
    finally:
        _renewing.discard(session_id)


def _noted(actor: Actor) -> Actor:
    """The actor, whose name the log may tell."""
    request = current_request.get()
    if request is not None:
        request.user = actor.name
    return actor


def _opens(row: CredentialRow, kind: str) -> bool:
    """Whether a credential is valid; its use is recorded then."""
    at = now()
    if not is_valid(row, at):
        return False
    if row.last_used_at is None or at - row.last_used_at > USE_RECORDED_EVERY:
        record = sessions.record_use if kind == "session" else tokens.record_use
        _record_soon(f"{kind} {row.id}", lambda: record(row.id, at, USE_RECORDED_EVERY))
    return True


async def recorded() -> None:
    """Wait for the uses that are being recorded: before the database closes."""
    if _recording:
        await asyncio.wait(_recording.values())


def _record_soon(key: str, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Record the use beside the request, unless that is under way: it waits for no write, and fails with none."""
    if key in _recording:
        return

    async def record() -> None:
        try:
            await write()
        except EntrepotError:
            log.warning("The last use of a %s could not be recorded; the next use tries again.", key.partition(" ")[0])

    task = asyncio.create_task(record())
    _recording[key] = task
    task.add_done_callback(lambda _: _recording.pop(key, None))
