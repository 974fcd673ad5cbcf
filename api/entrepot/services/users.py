"""Users: people with a namespace of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, fetch_one, transaction
from entrepot.errors import Conflict, NotFound, PermissionDenied
from entrepot.services import audit, sessions, throttle
from entrepot.services.actors import Actor
from entrepot.services.credentials import confirmed
from entrepot.services.delegation import hands_on
from entrepot.services.namespaces import add_namespace, check_name, name_key
from entrepot.services.passwords import check_password, hash_password
from entrepot.services.permissions import require_site_admin

if TYPE_CHECKING:
    from entrepot.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user as an administrator sees it. Times are milliseconds since 1970."""

    name: str
    admin: bool
    password: bool
    """Whether there is one: without, the user can only use tokens."""
    created_at: int
    disabled_at: int | None


SELECT = """SELECT namespace.id, namespace.name, namespace.created_at,
    "user".is_admin, "user".disabled_at, "user".password_hash IS NOT NULL AS password
    FROM "user" JOIN namespace ON namespace.id = "user".namespace_id"""


async def create_user(registry: Registry, *, name: str, password: str | None, admin: bool, actor: Actor = audit.OPERATOR) -> Row:
    """Create a user and the namespace of the same name; answers the namespace's row.

    Without a password the user can only use tokens. Raises ValidationError, Conflict, Unauthenticated, PermissionDenied: also for an administrator
    who is made with a token that could not make one for everything, for that is what the new user can do.
    """
    require_site_admin(actor)
    if admin and not hands_on(actor.scopes, "all"):
        raise PermissionDenied("An administrator may do everything, and the token that you use does not cover that. Use one with the scope: all.")
    check_user(registry, name=name, password=password)
    password_hash = None if password is None else await hash_password(password)
    async with transaction():
        namespace = await add_user(name=name, password_hash=password_hash, admin=admin)
        require_site_admin(await confirmed(actor))
        details = {"admin": admin, "password": password is not None}
        await audit.record(actor=actor, action="user.create", subject=namespace["name"], namespace_id=namespace["id"], details=details)
    return namespace


def check_user(registry: Registry, *, name: str, password: str | None) -> None:
    """Raises ValidationError for what can be no user's name or password."""
    check_name(registry, name)
    if password is not None:
        check_password(password, name=name)


async def add_user(*, name: str, password_hash: str | None, admin: bool) -> Row:
    """Add a user in the running transaction; answers the namespace's row. What is given must have passed `check_user`. Raises Conflict."""
    namespace = await add_namespace(name=name, kind="user")
    statement = 'INSERT INTO "user" (namespace_id, password_hash, is_admin, disabled_at) VALUES ($1,$2,$3,NULL)'
    await execute(statement, namespace["id"], password_hash, admin)
    return namespace


async def set_password(*, name: str, password: str, actor: Actor = audit.OPERATOR) -> int:
    """Give a user another password, or a first one, without asking for the old; answers how many sessions of theirs ended with it.

    Raises NotFound, ValidationError, Unauthenticated, PermissionDenied.
    """
    require_site_admin(actor)
    check_password(password, name=name)
    await _user_row(name)
    password_hash = await hash_password(password)
    async with transaction():
        row = await _user_row(name)
        require_site_admin(await confirmed(actor))
        await execute('UPDATE "user" SET password_hash = $1 WHERE namespace_id = $2', password_hash, row["id"])
        await throttle.forget(name=name)
        ended = await sessions.end_all(user_id=row["id"])
        details = {"sessions_ended": ended}
        await audit.record(actor=actor, action="password.change", subject=row["name"], namespace_id=row["id"], details=details)
    return ended


async def count_users() -> int:
    """How many users there are."""
    row = await fetch_one('SELECT count(*) AS users FROM "user"')
    assert row is not None
    return int(row["users"])


async def list_users(*, actor: Actor = audit.OPERATOR) -> list[User]:
    """Every user, the disabled ones too, by name. Raises PermissionDenied."""
    require_site_admin(actor)
    return sorted((_user(row) for row in await fetch(SELECT)), key=lambda user: name_key(user.name))


async def set_disabled(*, name: str, disabled: bool, actor: Actor = audit.OPERATOR) -> bool:
    """Disable a user, whose tokens and sessions stop at once, or enable one, whose tokens then work again; answers whether that changed anything.

    What the user has published stays. Raises NotFound, Conflict, Unauthenticated, PermissionDenied.
    """
    require_site_admin(actor)
    async with transaction():
        row = await _user_row(name)
        both = 'SELECT id FROM "user" WHERE namespace_id = $1 OR namespace_id = $2 ORDER BY id {lock}'
        await fetch(both, row["id"], actor.namespace_id or 0)  # of two administrators who disable each other, the second is none any more
        actor = await confirmed(actor)
        require_site_admin(actor)
        if disabled and row["id"] == actor.namespace_id:
            raise Conflict("You cannot disable yourself. Another administrator can.")
        state = "disabled_at IS NULL" if disabled else "disabled_at IS NOT NULL"
        statement = f'UPDATE "user" SET disabled_at = $1 WHERE namespace_id = $2 AND {state}'
        changed = await execute(statement, now() if disabled else None, row["id"])
        if disabled:
            await sessions.end_all(user_id=row["id"])
        if changed:
            action = "user.disable" if disabled else "user.enable"
            await audit.record(actor=actor, action=action, subject=row["name"], namespace_id=row["id"])
    return bool(changed)


async def _user_row(name: str) -> Row:
    """A user by name. Raises NotFound."""
    row = await fetch_one("SELECT id, name FROM namespace WHERE name_key = $1 AND kind = 'user'", name_key(name))
    if row is None:
        raise NotFound(f"There is no user {name[:80]}.")
    return row


def _user(row: Row) -> User:
    return User(
        name=row["name"],
        admin=bool(row["is_admin"]),
        password=bool(row["password"]),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )
