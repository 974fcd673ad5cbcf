"""Users: people with a namespace of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, fetch_one, transaction
from entrepot.errors import NotFound
from entrepot.services import audit
from entrepot.services.actors import Actor
from entrepot.services.namespaces import add_namespace, check_name, name_key
from entrepot.services.passwords import hash_password
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

    Without a password the user can only use tokens. Raises ValidationError, Conflict.
    """
    check_name(registry, name)
    password_hash = None if password is None else await hash_password(password)
    async with transaction():
        namespace = await add_namespace(name=name, kind="user")
        await execute(
            'INSERT INTO "user" (namespace_id, password_hash, is_admin, disabled_at) VALUES ($1,$2,$3,NULL)', namespace["id"], password_hash, admin
        )
        details = {"admin": admin, "password": password is not None}
        await audit.record(actor=actor, action="user.create", subject=namespace["name"], namespace_id=namespace["id"], details=details)
    return namespace


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
    """Disable a user, whose tokens stop at once, or enable one, whose tokens then work again; answers whether that changed anything.

    What the user has published stays. Raises NotFound, PermissionDenied.
    """
    require_site_admin(actor)
    async with transaction():
        row = await fetch_one(f"{SELECT} WHERE namespace.name_key = $1", name_key(name))
        if row is None:
            raise NotFound(f"There is no user {name[:80]}.")
        state = "disabled_at IS NULL" if disabled else "disabled_at IS NOT NULL"
        statement = f'UPDATE "user" SET disabled_at = $1 WHERE namespace_id = $2 AND {state}'
        changed = await execute(statement, now() if disabled else None, row["id"])
        if changed:
            action = "user.disable" if disabled else "user.enable"
            await audit.record(actor=actor, action=action, subject=row["name"], namespace_id=row["id"])
    return bool(changed)


def _user(row: Row) -> User:
    return User(
        name=row["name"],
        admin=bool(row["is_admin"]),
        password=bool(row["password"]),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )
