"""Tokens: named, scoped, expiring credentials. The secret is shown once; the database holds its digest."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from entrepot.clock import now, span_of
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, marks, transact, transaction
from entrepot.errors import Conflict, NotFound, PermissionDenied, ValidationError
from entrepot.services import audit
from entrepot.services.actors import Actor
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.namespaces import name_key, namespace_row
from entrepot.services.permissions import API_WRITE, On, given, require_owner

if TYPE_CHECKING:
    from entrepot.registry import Registry

ALPHABET = string.ascii_letters + string.digits
A_YEAR = timedelta(days=365)
LONGEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as its owner sees it: everything but the secret, which nobody can see. Times are milliseconds since 1970."""

    id: str
    owner: str
    name: str
    scopes: tuple[str, ...]
    package: str | None
    """The full name of the one package that the token is bound to."""
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None

    def valid(self, at: int) -> bool:
        """Whether it opened anything at that time, were its owner not disabled."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


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
    span = span_of(text)
    if span is None:
        raise ValidationError(f"{text[:40]!r} is no lifetime: write a number and a unit, like 90m, 12h, 30d, 2w or 1y, or never.", field="expires_in")
    return min(span, LONGEST + timedelta(days=1))


async def create_token(
    registry: Registry,
    *,
    owner: str,
    name: str,
    scopes: Sequence[str] = ("all",),
    expires_in: timedelta | None = A_YEAR,
    package: str | None = None,
    made_with: int | None = None,
    actor: Actor = audit.OPERATOR,
) -> str:
    """Create a token of a user or an organization and answer its secret, which nothing can show again. It works on one `package` alone where one is
    named, by `namespace/name`, and dies with the token (its inner id) that it was `made_with`.

    Asks nobody whether the actor may do it: see `delegation.py`. Raises ValidationError, NotFound, PermissionDenied.
    """
    check_token(registry, name=name, scopes=scopes, expires_in=expires_in)
    secret, created_at = new_secret(), now()
    expires_at = None if expires_in is None else created_at + int(expires_in.total_seconds() * 1000)
    async with transaction():
        namespace = await owner_row(owner)
        bound = None if package is None else await _package_row(namespace, package)
        await execute(
            """INSERT INTO token (uuid, namespace_id, name, digest, scopes, package_id, made_with_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
            new_uuid(),
            namespace["id"],
            name,
            digest_of(secret),
            " ".join(dict.fromkeys(scopes)),
            bound and bound["id"],
            made_with,
            created_at,
            expires_at,
        )
        details = {"scopes": list(dict.fromkeys(scopes)), "expires_at": expires_at} | ({"package": bound["full_name"]} if bound else {})
        await audit.record(actor=actor, action="token.create", subject=f"{namespace['name']}: {name}", namespace_id=namespace["id"], details=details)
    return secret


def check_token(registry: Registry, *, name: str, scopes: Sequence[str], expires_in: timedelta | None) -> None:
    """Raises ValidationError for a name, scopes or a lifetime that a token cannot have."""
    if not 1 <= len(name) <= 128 or not name.isprintable() or not name.strip():
        raise ValidationError("A token needs a name of 1 to 128 printable characters, so that you know later what it was for.", field="name")
    known = registry.scopes()
    if not scopes:
        raise ValidationError(f"A token needs at least one scope. There are: {', '.join(sorted(known))}.", field="scopes")
    for scope in scopes:
        if scope not in known:
            raise ValidationError(f"There is no scope {scope[:80]!r}. There are: {', '.join(sorted(known))}.", field="scopes")
    if expires_in is not None and not timedelta(0) < expires_in <= LONGEST:
        raise ValidationError(
            "A token must live longer than no time and at most 100 years; for a token without an end say never.", field="expires_in"
        )


async def owner_row(owner: str) -> Row:
    """The namespace that may own a token. Raises NotFound, PermissionDenied for a disabled user. Call it in the transaction that adds the token."""
    row = await fetch_one(
        """SELECT namespace.id, namespace.name, namespace.kind, "user".disabled_at
        FROM namespace LEFT JOIN "user" ON "user".namespace_id = namespace.id WHERE namespace.name_key = $1""",
        name_key(owner),
    )
    if row is None:
        raise NotFound(f"There is no user or organization {owner[:80]}. Create a user first: entrepot user create {owner[:80]}")
    if row["disabled_at"] is not None:
        raise PermissionDenied(f"The user {row['name']} is disabled and gets no token.")
    return row


async def _package_row(owner: Row, package: str) -> Row:
    """The package that a token is bound to. Raises NotFound, ValidationError where an organization's token could do nothing."""
    namespace, _, name = package.partition("/")
    row = await fetch_one(
        """SELECT package.id, package.namespace_id, namespace.name || '/' || package.name AS full_name
        FROM package JOIN namespace ON namespace.id = package.namespace_id WHERE namespace.name_key = $1 AND package.name_key = $2""",
        name_key(namespace),
        name.lower(),
    )
    if row is None:
        raise NotFound(f"There is no package {package[:320]!r}. Name it by its namespace and its name, like alice/numpy.")
    if owner["kind"] == "organization" and row["namespace_id"] != owner["id"]:
        raise ValidationError(
            f"A token of {owner['name']} works in {owner['name']} alone: bind it to a package there, and not to {row['full_name']}.",
            field="package_id",
        )
    return row


SELECT = """SELECT token.id AS row_id, token.uuid, token.namespace_id, namespace.name AS owner, token.name, token.scopes, token.created_at,
        token.expires_at, token.last_used_at, token.revoked_at, token.package_id, home.name || '/' || package.name AS package
    FROM token JOIN namespace ON namespace.id = token.namespace_id
    LEFT JOIN package ON package.id = token.package_id LEFT JOIN namespace AS home ON home.id = package.namespace_id"""


async def list_tokens(*, owner: str, actor: Actor = audit.OPERATOR) -> list[Token]:
    """Every token of a user or an organization, the newest first, those that expired or were revoked too. Raises NotFound, PermissionDenied."""
    namespace = await namespace_row(owner)
    require_owner(actor, On(namespace["id"], namespace["name"]), needs=("api:read", "api:write"))
    return [_token(row) for row in await fetch(f"{SELECT} WHERE token.namespace_id = $1 ORDER BY token.id DESC", namespace["id"])]


async def token_named(*, owner: str, name: str, actor: Actor = audit.OPERATOR) -> Token:
    """The token that somebody means by a name: the one that is still valid, if there is such, else the only one. Raises NotFound, Conflict."""
    named = [token for token in await list_tokens(owner=owner, actor=actor) if token.name == name]
    if not named:
        raise NotFound(f"{owner[:80]} has no token of the name {name[:128]!r}.")
    meant = [token for token in named if token.valid(now())] or named
    if len(meant) > 1:
        raise Conflict(
            f"{owner[:80]} has {len(meant)} tokens of the name {name!r}. Say which one by its id: {', '.join(token.id for token in meant)}."
        )
    return meant[0]


class Revocation(NamedTuple):
    """A token that was revoked, and those that were revoked with it, because they were made with it."""

    token: Token
    others: Sequence[Token]


async def revoke_token(*, token: str, owner: str | None = None, actor: Actor = audit.OPERATOR) -> Revocation:
    """Revoke a token by its id, of this owner if one is named, at once and for ever, and every token that was made with it; those that are revoked
    stay as they are.

    Raises NotFound, also for the token of somebody else, and PermissionDenied.
    """
    async with transaction():
        row = await fetch_one(f"{SELECT} WHERE token.uuid = $1", token)
        if row is None or not _concerns(row, owner, actor):
            raise NotFound(f"{f'{owner[:80]} has' if owner else 'You have'} no token with the id {token[:80]}.")
        require_owner(await confirmed(actor), On(row["namespace_id"], row["owner"]), needs=API_WRITE)
        dead = await _end(row["row_id"])
        for one in dead:
            details = {"token": one["uuid"]} | ({} if one["row_id"] == row["row_id"] else {"with": row["uuid"]})
            subject = f"{one['owner']}: {one['name']}"
            await audit.record(actor=actor, action="token.revoke", subject=subject, namespace_id=one["namespace_id"], details=details)
        [row] = await fetch(f"{SELECT} WHERE token.id = $1", row["row_id"])
    return Revocation(_token(row), [_token(one) for one in dead if one["row_id"] != row["row_id"]])


async def _end(token_id: int) -> list[Row]:
    """Revoke a token, then those that were made with it, and so on; answers those that were not revoked before.

    Who makes a token holds the one that makes it in share, and an update waits for that: so the next generation is whole when it is read. Nothing is
    locked beyond the update: whoever holds a namespace writes events that refer to tokens.
    """
    dead: list[Row] = []
    generation = [token_id]
    while generation:
        statement = "UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL"
        ids = [one for one in generation if await execute(statement, now(), one)]
        dead += await fetch(f"{SELECT} WHERE token.id IN ({marks(ids)}) ORDER BY token.id", *ids)
        generation = [row["id"] for row in await fetch(f"SELECT id FROM token WHERE made_with_id IN ({marks(generation)}) ORDER BY id", *generation)]
    return dead


def _concerns(row: Row, owner: str | None, actor: Actor) -> bool:
    """Whether a token is one of the owner who was named, and of the actor who is no administrator."""
    return (owner is None or name_key(row["owner"]) == name_key(owner)) and (
        given(actor, namespace_id=row["namespace_id"], package_id=None) == Level.ADMIN
    )


def _token(row: Row) -> Token:
    values = {name: row[name] for name in ("owner", "name", "package", "created_at", "expires_at", "last_used_at", "revoked_at")}
    return Token(id=row["uuid"], scopes=tuple(row["scopes"].split()), **values)


async def record_use(token_id: int, at: int, every: int) -> None:
    """Remember when a token was used last, unless that was recorded in the last `every` milliseconds. Raises Unavailable."""
    statement = "UPDATE token SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)"
    await transact(lambda: execute(statement, at, token_id, at - every))
