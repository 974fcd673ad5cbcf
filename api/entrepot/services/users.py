"""Users: people with a namespace of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db.sql import Row, execute, fetch_one, transaction
from entrepot.services import audit
from entrepot.services.actors import Actor
from entrepot.services.namespaces import add_namespace, check_name
from entrepot.services.passwords import hash_password

if TYPE_CHECKING:
    from entrepot.registry import Registry


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
