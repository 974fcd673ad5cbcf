"""Accounts: logging in and out, registration, and another password. The only places that look at a password.

A wrong password, a name that nobody has, a user without a password and one who is disabled answer alike, after the same time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from entrepot.db.sql import Row, execute, fetch_one, transaction
from entrepot.errors import NotFound, PermissionDenied, Unavailable
from entrepot.services import audit, sessions, throttle
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.credentials import confirmed
from entrepot.services.namespaces import GRAMMAR, name_key
from entrepot.services.passwords import check_password, hash_password, outdated, verify_password
from entrepot.services.permissions import API_WRITE, require_scope
from entrepot.services.sessions import Opened
from entrepot.services.throttle import Attempt, Counted
from entrepot.services.users import add_user, check_user

if TYPE_CHECKING:
    from entrepot.site import Site

T = TypeVar("T")
WRONG = "The name or the password is wrong, or the user has no password or is disabled."
CHANGED = "The account was changed just now. Try again."
WRONG_OLD = "The old password is wrong, or you have none: then an administrator can give you one."
BOUND = "The token that you use is bound to one package, and is for nothing else. Log in, or use another token."
NO_REGISTRATION = "This site lets nobody register. Ask its administrators for an account."
ACCOUNT = """SELECT namespace.id, namespace.name, "user".password_hash, "user".disabled_at
    FROM "user" JOIN namespace ON namespace.id = "user".namespace_id WHERE {where}"""


async def log_in(*, name: str, password: str, address: str = "", agent: str = "", replaces: str = "") -> Opened:
    """Begin a session of a user who knows their password. `replaces` is the secret of a session that came along: it ends, whoever's it is.

    Raises TooManyRequests, PermissionDenied, Unavailable.
    """
    attempt = await throttle.attempt(name=name, address=address)
    account = await _account(name)
    if not await _is_right(account, password, attempt, address):
        raise PermissionDenied(WRONG)
    assert account is not None
    stored = account["password_hash"]
    anew = await _hashed(hash_password(password), attempt.counted) if outdated(stored) else stored
    async with transaction():
        if not await _still(account):
            raise PermissionDenied(CHANGED)
        if anew != stored:
            await execute('UPDATE "user" SET password_hash = $1 WHERE namespace_id = $2', anew, account["id"])
        await throttle.succeeded(attempt)
        if replaces:
            await sessions.end(secret=replaces)
        opened = await sessions.begin(user_id=account["id"], address=address, agent=agent)
        await audit.record(actor=opened.actor, action="session.login", subject=account["name"], namespace_id=account["id"])
    return opened


async def log_out(*, actor: Actor, secret: str = "", everywhere: bool = False) -> int:
    """End the session of a secret, and with `everywhere` all sessions of the actor; answers how many ended. Nobody may be logged in.

    Raises Unauthenticated, PermissionDenied for `everywhere` without a credential that may write, or with one that is bound to a package.
    """
    if everywhere:
        _require_unbound(actor)
    async with transaction():
        actor = await confirmed(actor) if everywhere else actor
        row = await sessions.end(secret=secret) if secret else None
        if row is not None:
            who = Actor(name=row["name"], namespace_id=row["user_id"], address=actor.address)
            await audit.record(actor=who, action="session.logout", subject=row["name"], namespace_id=row["user_id"])
        ended = int(row is not None)
        if everywhere:
            others = await sessions.end_all(user_id=actor.namespace_id or 0)
            ended += others
            if others:
                details = {"others": others}
                await audit.record(actor=actor, action="session.logout", subject=actor.name, namespace_id=actor.namespace_id, details=details)
    return ended


async def end_session(*, actor: Actor, id: str) -> bool:
    """End one of the actor's own sessions, by its id; answers whether it is the one that asks.

    Raises Unauthenticated, PermissionDenied, NotFound, also for the session of somebody else.
    """
    _require_unbound(actor)
    if actor.is_organization:
        raise PermissionDenied("An organization has no sessions; its members have theirs.")
    async with transaction():
        actor = await confirmed(actor)
        row = await sessions.end_one(user_id=actor.namespace_id or 0, id=id)
        if row is None:
            raise NotFound("You have no session with this id: it has ended, or is somebody else's. `viewer { sessions { id } }` shows yours.")
        details = {"session": id}
        await audit.record(actor=actor, action="session.logout", subject=actor.name, namespace_id=actor.namespace_id, details=details)
    return bool(row["id"] == actor.session_id)


async def register(site: Site, *, name: str, password: str, address: str = "", agent: str = "", replaces: str = "") -> Opened:
    """Create a user who asks for it, where the site allows that, and log them in.

    Raises PermissionDenied, ValidationError, Conflict, TooManyRequests, Unavailable.
    """
    if not site.settings.registration:
        raise PermissionDenied(NO_REGISTRATION)
    check_user(site.registry, name=name, password=password)
    counted = await throttle.registration(address=address)
    password_hash = await _hashed(hash_password(password), counted)
    async with transaction():
        namespace = await add_user(name=name, password_hash=password_hash, admin=False)
        if replaces:
            await sessions.end(secret=replaces)
        opened = await sessions.begin(user_id=namespace["id"], address=address, agent=agent)
        details = {"admin": False, "password": True, "registered": True}
        await audit.record(actor=opened.actor, action="user.create", subject=namespace["name"], namespace_id=namespace["id"], details=details)
    return opened


async def change_password(*, actor: Actor, old: str, new: str, agent: str = "") -> Opened | None:
    """Give the actor another password. All their sessions end; who asked with one goes on with a new one, and gets its secret.

    Raises Unauthenticated, PermissionDenied, ValidationError, TooManyRequests, Unavailable.
    """
    _require_unbound(actor)
    account = await fetch_one(ACCOUNT.format(where="namespace.id = $1"), actor.namespace_id)
    if account is None:
        raise PermissionDenied("An organization has no password; its members have theirs.")
    check_password(new, name=account["name"])
    attempt = await throttle.attempt(name=account["name"], address=actor.address)
    if not await _is_right(account, old, attempt, actor.address):
        raise PermissionDenied(WRONG_OLD)
    password_hash = await _hashed(hash_password(new), attempt.counted)
    async with transaction():
        if not await _still(account):
            raise PermissionDenied(CHANGED)
        actor = await confirmed(actor)
        await execute('UPDATE "user" SET password_hash = $1 WHERE namespace_id = $2', password_hash, account["id"])
        await throttle.succeeded(attempt, only_here=True)
        own = await fetch_one("SELECT created_at, agent FROM session WHERE id = $1", actor.session_id or 0)
        ended = await sessions.end_all(user_id=account["id"])
        await audit.record(
            actor=actor, action="password.change", subject=account["name"], namespace_id=account["id"], details={"sessions_ended": ended}
        )
        if own is None:
            return None
        return await sessions.begin(user_id=account["id"], address=actor.address, agent=agent or own["agent"], created_at=own["created_at"])


def _require_unbound(actor: Actor) -> None:
    """Let pass who has a credential for the account as a whole. Raises Unauthenticated, PermissionDenied."""
    require_scope(actor, *API_WRITE)
    if actor.package_id is not None:
        raise PermissionDenied(BOUND)


async def _hashed(work: Awaitable[T], counted: Mapping[str, Counted]) -> T:
    """What the hasher makes of an attempt. One whose turn does not come is no wrong password, and is not counted. Raises Unavailable."""
    try:
        return await work
    except Unavailable:
        await throttle.take_back(counted)
        raise


async def _account(name: str) -> Row | None:
    """A user by name. What can be no name is not looked for."""
    return await fetch_one(ACCOUNT.format(where="namespace.name_key = $1"), name_key(name)) if GRAMMAR.fullmatch(name) else None


async def _is_right(account: Row | None, password: str, attempt: Attempt, address: str) -> bool:
    """Whether it is the password of a user who may log in. A failure that begins a pause is told the audit log, if somebody has the name.

    Raises Unavailable.
    """
    right = await _hashed(verify_password(account["password_hash"] if account else None, password), attempt.counted)
    if account is not None and (not right or account["disabled_at"] is not None) and attempt.pause:
        details = {"failures": attempt.failures, "pause": attempt.pause // 1000}
        async with transaction():
            who = replace(ANONYMOUS, address=address)
            await audit.record(actor=who, action="session.fail", subject=account["name"], namespace_id=account["id"], details=details)
    return right and account is not None and account["disabled_at"] is None


async def _still(account: Row) -> bool:
    """Whether nobody has changed the password or disabled the user since the row was read. Locks it."""
    row = await fetch_one('SELECT password_hash, disabled_at FROM "user" WHERE namespace_id = $1 {lock}', account["id"])
    return row is not None and row["disabled_at"] is None and row["password_hash"] == account["password_hash"]
