"""Tokens: named, scoped, expiring credentials. The secret is shown once; the database holds its digest."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch_one, transact, transaction
from entrepot.errors import NotFound, PermissionDenied, ValidationError
from entrepot.services import audit
from entrepot.services.actors import Actor
from entrepot.services.namespaces import name_key

if TYPE_CHECKING:
    from entrepot.registry import Registry

ALPHABET = string.ascii_letters + string.digits
A_YEAR = timedelta(days=365)
LONGEST = timedelta(days=36_500)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": A_YEAR}


def new_secret() -> str:
    """A secret of 238 random bits in letters and digits, so that it fits every place where clients put tokens, URLs included."""
    return "ent-" + "".join(secrets.choice(ALPHABET) for _ in range(40))


def digest_of(secret: str) -> str:
    """Under what a secret is found. One fast hash is enough: there is nothing to guess in 238 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_lifetime(text: str) -> timedelta | None:
    """`30d`, `12h`, `90m`, `2w`, `1y`; `never` is None. Raises ValidationError."""
    if text.strip().lower() == "never":
        return None
    match = re.fullmatch(r"([0-9]{1,6})([mhdwy])", text.strip().lower())
    if match is None:
        raise ValidationError(f"{text[:40]!r} is no lifetime: write a number and a unit, like 90m, 12h, 30d, 2w or 1y, or never.")
    return min(int(match[1]) * UNITS[match[2]], LONGEST + timedelta(days=1))


async def create_token(
    registry: Registry,
    *,
    owner: str,
    name: str,
    scopes: Sequence[str] = ("all",),
    expires_in: timedelta | None = A_YEAR,
    actor: Actor = audit.OPERATOR,
) -> str:
    """Create a token and answer its secret, which nothing can show again. Raises ValidationError, NotFound, PermissionDenied."""
    check_token(registry, name=name, scopes=scopes, expires_in=expires_in)
    secret, created_at = new_secret(), now()
    expires_at = None if expires_in is None else created_at + int(expires_in.total_seconds() * 1000)
    async with transaction():
        namespace = await owner_row(owner)
        await execute(
            "INSERT INTO token (uuid, namespace_id, name, digest, scopes, created_at, expires_at, last_used_at, revoked_at) "
            "VALUES ($1,$2,$3,$4,$5,$6,$7,NULL,NULL)",
            new_uuid(),
            namespace["id"],
            name,
            digest_of(secret),
            " ".join(dict.fromkeys(scopes)),
            created_at,
            expires_at,
        )
        details = {"scopes": list(dict.fromkeys(scopes)), "expires_at": expires_at}
        await audit.record(actor=actor, action="token.create", subject=f"{namespace['name']}: {name}", namespace_id=namespace["id"], details=details)
    return secret


def check_token(registry: Registry, *, name: str, scopes: Sequence[str], expires_in: timedelta | None) -> None:
    """Raises ValidationError for a name, scopes or a lifetime that a token cannot have."""
    if not 1 <= len(name) <= 128 or not name.isprintable() or not name.strip():
        raise ValidationError("A token needs a name of 1 to 128 printable characters, so that you know later what it was for.")
    known = registry.scopes()
    if not scopes:
        raise ValidationError(f"A token needs at least one scope. There are: {', '.join(sorted(known))}.")
    for scope in scopes:
        if scope not in known:
            raise ValidationError(f"There is no scope {scope[:80]!r}. There are: {', '.join(sorted(known))}.")
    if expires_in is not None and not timedelta(0) < expires_in <= LONGEST:
        raise ValidationError("A token must live longer than no time and at most 100 years; for a token without an end say never.")


async def owner_row(owner: str) -> Row:
    """The namespace that may own a token. Raises NotFound, PermissionDenied for a disabled user. Call it in the transaction that adds the token."""
    row = await fetch_one(
        'SELECT n.id, n.name, u.disabled_at FROM namespace n LEFT JOIN "user" u ON u.namespace_id = n.id WHERE n.name_key = $1', name_key(owner)
    )
    if row is None:
        raise NotFound(f"There is no user {owner[:80]}. Create it first: entrepot user create {owner[:80]}")
    if row["disabled_at"] is not None:
        raise PermissionDenied(f"The user {row['name']} is disabled and gets no token.")
    return row


async def record_use(token_id: int, at: int, every: int) -> None:
    """Remember when a token was used last, unless that was recorded in the last `every` milliseconds. Raises Unavailable."""
    statement = "UPDATE token SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)"
    await transact(lambda: execute(statement, at, token_id, at - every))
