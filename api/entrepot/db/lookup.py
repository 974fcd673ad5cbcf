"""The hot path's reads: one indexed SELECT each, on a connection of their own, as of the moment they are asked.

On SQLite they run on the event loop itself: 4 µs beside the 70 µs of a hop to a thread. Their methods are coroutines all the same, because on
PostgreSQL they wait for a batched query. No memory map on this connection: it makes the first read after somebody else's commit slower.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from entrepot.errors import NotFound
from entrepot.outages import database_unavailable

R = TypeVar("R")


class HeadRow(NamedTuple):
    """Where a document stands now."""

    id: int
    generation: int
    namespace_id: int


class PartRow(NamedTuple):
    """Where a part of a document stands now; `generation` is that of its own last change."""

    head_id: int
    generation: int
    namespace_id: int
    package_id: int
    private: int


class FileRow(NamedTuple):
    """What it takes to serve a file or an extra."""

    id: int
    namespace_id: int
    package_id: int
    private: int
    sha256: str
    size: int
    basename: str
    media_type: str


class ShardRow(NamedTuple):
    """An addressed part as it was stored."""

    id: int
    namespace_id: int
    package_id: int
    private: int


class NamespaceRow(NamedTuple):
    """A namespace, by its lower-cased name."""

    id: int
    name: str
    uuid: str
    strictness: str | None
    """As `services.strictness` reads it."""


class CredentialRow(NamedTuple):
    """A token or a session, with its owner."""

    id: int
    namespace_id: int
    name: str
    kind: str
    is_admin: int
    disabled_at: int | None
    scopes: str
    package_id: int | None
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    grants: str | None
    """What the owner was given, as `services.grants.parse_grants` reads it."""
    given_at: int | None
    """Of a session: when its present secret was handed out."""
    unused: int
    """Of a session: whether the secret that asks is the present one, and has never been used before."""


class Lookup(Protocol):
    """What is asked per request."""

    @property
    def asked(self) -> int:
        """How many look-ups the database has answered."""

    @property
    def remembered(self) -> int:
        """How many were still known from before."""

    async def head(self, namespace: str, type: str, label: str, document: str) -> HeadRow | None:
        """The head of a document; `namespace` is lower-cased."""

    async def part(self, namespace: str, type: str, label: str, document: str, part: str) -> PartRow | None:
        """A part's last change and its package, if the name is bound; the part may have no entries all the same."""

    async def file(self, namespace: str, type: str, path: str) -> FileRow | None:
        """A file by its path."""

    async def extra(self, namespace: str, type: str, path: str, name: str) -> FileRow | None:
        """An extra of a file."""

    async def shard(self, namespace: str, type: str, label: str, document: str, representation: str, sha256: str) -> ShardRow | None:
        """A stored shard, by its digest."""

    async def shard_body(self, id: int) -> bytes:
        """A stored shard's bytes."""

    async def namespace(self, namespace: str) -> NamespaceRow | None:
        """A namespace."""

    async def label(self, namespace_id: int, label: str) -> bool:
        """Whether a namespace has a label."""

    async def public_label(self, namespace_id: int, label: str) -> bool:
        """Whether a file of a public package has a label."""

    async def release(self, package_id: int, version: str) -> bool:
        """Whether a package has a release of a canonical version."""

    async def shown(self, head_id: int, audience: str, withdrawn_under: str) -> bool:
        """Whether a document shows anything to who reads what is public and the packages of an audience, `,1,2,` for the ids 1 and 2.

        `withdrawn_under`: the label under which files are told of that have none; empty for none.
        """

    async def token(self, digest: str) -> CredentialRow | None:
        """A token by the digest of its secret."""

    async def session(self, digest: str) -> CredentialRow | None:
        """A session by the digest of its secret, or of the one that it had before, with which it ends sooner."""

    async def private_packages(self, namespace_id: int) -> tuple[int, ...]:
        """The ids of a namespace's private packages, sorted."""

    def close(self) -> None:
        """Let go of the connection."""


UNREADABLE = "The database cannot be read just now. Try again in a moment."
REMEMBERED = 10_000
LONGEST_KEY = 1_000
"""In characters: who asks for very long names shall not fill the memory with them."""
HEAD = """SELECT head.id, head.generation, namespace.id FROM namespace JOIN head ON head.namespace_id = namespace.id
    WHERE namespace.name_key = ? AND head.type = ? AND head.label = ? AND head.document = ?"""
PART = """SELECT head.id,
        coalesce((SELECT max(generation) FROM change WHERE change.head_id = head.id AND change.part = binding.name), head.pruned),
        namespace.id, package.id, package.private
    FROM namespace
    JOIN head ON head.namespace_id = namespace.id AND head.type = ?2 AND head.label = ?3 AND head.document = ?4
    JOIN binding ON binding.namespace_id = namespace.id AND binding.type = ?2 AND binding.name = ?5
    JOIN package ON package.id = binding.package_id
    WHERE namespace.name_key = ?1"""
FILE = """SELECT file.id, namespace.id, package.id, package.private, file.sha256, file.size, file.basename, 'application/octet-stream'
    FROM namespace JOIN file ON file.namespace_id = namespace.id JOIN package ON package.id = file.package_id
    WHERE namespace.name_key = ? AND file.type = ? AND file.path = ?"""
EXTRA = """SELECT file.id, namespace.id, package.id, package.private, extra.sha256, extra.size, file.basename || '.' || extra.name, extra.media_type
    FROM namespace JOIN file ON file.namespace_id = namespace.id JOIN package ON package.id = file.package_id JOIN extra ON extra.file_id = file.id
    WHERE namespace.name_key = ? AND file.type = ? AND file.path = ? AND extra.name = ?"""
SHARD = """SELECT shard.id, namespace.id, package.id, package.private
    FROM namespace JOIN head ON head.namespace_id = namespace.id
    JOIN shard ON shard.head_id = head.id JOIN package ON package.id = shard.package_id AND package.namespace_id = namespace.id
    WHERE namespace.name_key = ? AND head.type = ? AND head.label = ? AND head.document = ? AND shard.representation = ? AND shard.sha256 = ?"""
NAMESPACE = "SELECT id, name, uuid, strictness FROM namespace WHERE name_key = ?"
GRANTED = """(SELECT group_member.user_id, member_group.namespace_id, 0 AS package_id, member_group.permission
        FROM group_member JOIN member_group ON member_group.id = group_member.group_id WHERE member_group.everything
    UNION ALL SELECT group_member.user_id, member_group.namespace_id, group_package.package_id, member_group.permission
        FROM group_member JOIN member_group ON member_group.id = group_member.group_id
        JOIN group_package ON group_package.group_id = member_group.id WHERE NOT member_group.everything
    UNION ALL SELECT collaborator.user_id, package.namespace_id, collaborator.package_id, 'write'
        FROM collaborator JOIN package ON package.id = collaborator.package_id) AS granted"""
"""Who was given what: users' ids, a namespace, its package or 0 for all of it, and the permission. Nothing else knows where grants come from."""
GRANTS = f"""(SELECT {{gather}}(granted.namespace_id || ':' || granted.package_id || ':' || granted.permission, ' ')
    FROM {GRANTED} WHERE granted.user_id = namespace.id)"""
TOKEN = f"""SELECT token.id, namespace.id AS namespace_id, namespace.name, namespace.kind, coalesce("user".is_admin, FALSE) AS is_admin,
        "user".disabled_at, token.scopes, token.package_id, token.expires_at, token.revoked_at, token.last_used_at, {GRANTS} AS grants,
        CAST(NULL AS BIGINT) AS given_at, FALSE AS unused
    FROM token JOIN namespace ON namespace.id = token.namespace_id LEFT JOIN "user" ON "user".namespace_id = namespace.id"""
PREVIOUS_COUNTS = 60_000
"""Milliseconds for which the secret that a session had before still counts, from the first use of the present one on."""


def _session(expires_at: str = "session.expires_at", unused: str = "FALSE") -> str:
    return f"""SELECT session.id, namespace.id AS namespace_id, namespace.name, namespace.kind, "user".is_admin, "user".disabled_at, 'all' AS scopes,
        CAST(NULL AS BIGINT) AS package_id, {expires_at} AS expires_at, CAST(NULL AS BIGINT) AS revoked_at, session.used_at AS last_used_at,
        {GRANTS} AS grants, session.given_at, {unused} AS unused
    FROM session JOIN namespace ON namespace.id = session.user_id JOIN "user" ON "user".namespace_id = namespace.id"""


_PREVIOUS_UNTIL = f"""CASE WHEN session.rotated_at + {PREVIOUS_COUNTS} < session.expires_at
    THEN session.rotated_at + {PREVIOUS_COUNTS} ELSE session.expires_at END"""
SESSION = _session()
OWNER = f"""SELECT 0 AS id, namespace.id AS namespace_id, namespace.name, namespace.kind, coalesce("user".is_admin, FALSE) AS is_admin,
        "user".disabled_at, 'all' AS scopes, CAST(NULL AS BIGINT) AS package_id, CAST(NULL AS BIGINT) AS expires_at,
        CAST(NULL AS BIGINT) AS revoked_at, CAST(NULL AS BIGINT) AS last_used_at, {GRANTS} AS grants, CAST(NULL AS BIGINT) AS given_at,
        FALSE AS unused
    FROM namespace LEFT JOIN "user" ON "user".namespace_id = namespace.id"""
TOKEN_BY_DIGEST = f"{TOKEN} WHERE token.digest = ?"
SESSION_BY_DIGEST = f"""{_session(unused="session.rotated_at IS NULL")} WHERE session.digest = ?1
    UNION ALL {_session(expires_at=_PREVIOUS_UNTIL)} WHERE session.previous_digest = ?1"""
GATHER = {"sqlite": "group_concat", "postgres": "string_agg"}
"""Either database's word for joining texts; SQLite knows both from 3.44 on."""
LABEL = "SELECT 1 FROM label WHERE namespace_id = ? AND name = ?"
SHARD_BODY = "SELECT body FROM shard WHERE id = ?"
PUBLIC_LABEL = """SELECT 1 FROM label JOIN file_label ON file_label.label_id = label.id JOIN file ON file.id = file_label.file_id
    JOIN package ON package.id = file.package_id WHERE label.namespace_id = ? AND label.name = ? AND NOT package.private LIMIT 1"""
RELEASE = "SELECT 1 FROM release WHERE package_id = ? AND canonical_version = ?"
_READABLE = "JOIN package ON package.id = entry.package_id AND (NOT package.private OR ?1 LIKE '%,' || package.id || ',%')"
SHOWN = f"""SELECT 1 FROM head JOIN label ON label.namespace_id = head.namespace_id AND label.name = head.label
    JOIN file_label ON file_label.label_id = label.id
    JOIN entry ON entry.file_id = file_label.file_id AND entry.document = head.document AND entry.type = head.type {_READABLE}
    WHERE head.id = ?2
    UNION ALL SELECT 1 FROM head
    JOIN entry ON entry.namespace_id = head.namespace_id AND entry.type = head.type AND entry.document = head.document {_READABLE}
    WHERE head.id = ?2 AND head.label = ?3 AND NOT EXISTS (SELECT 1 FROM file_label WHERE file_label.file_id = entry.file_id) LIMIT 1"""
PRIVATE = "SELECT id FROM package WHERE namespace_id = ? AND private ORDER BY id"
_TOKEN, _SESSION = (statement.format(gather=GATHER["sqlite"]) for statement in (TOKEN_BY_DIGEST, SESSION_BY_DIGEST))


def made(kind: Callable[..., R], row: tuple[Any, ...] | None) -> R | None:
    """A row of a look-up, if there is one."""
    return None if row is None else kind(*row)


class SqliteLookup:
    """Lookups on SQLite, on the event loop's thread."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=64, timeout=0.25)
        self._connection.execute("PRAGMA query_only=ON")
        self._connection.execute("PRAGMA cache_size=-16384")
        self._version = 0
        self.asked = self.remembered = 0
        self._found: dict[tuple[object, ...], tuple[Any, ...] | None] = {}

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """The first row. What was found is remembered for as long as nobody has committed anything: asking that takes half the time of a join."""
        key = (statement, *values)
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version == self._version and key in self._found:
                self.remembered += 1
                return self._found[key]
            self.asked += 1
            row = self._ask(statement, *values)
        except sqlite3.OperationalError as error:
            raise database_unavailable(UNREADABLE) from error
        if version != self._version or len(self._found) >= REMEMBERED:
            self._found.clear()
            self._version = version
        if sum(len(value) for value in values if isinstance(value, str)) <= LONGEST_KEY:
            self._found[key] = row
        return row

    def _ask(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    async def head(self, namespace: str, type: str, label: str, document: str) -> HeadRow | None:
        """See Lookup."""
        row = self._one(HEAD, namespace, type, label, document)
        return made(HeadRow, row)

    async def part(self, namespace: str, type: str, label: str, document: str, part: str) -> PartRow | None:
        """See Lookup."""
        row = self._one(PART, namespace, type, label, document, part)
        return made(PartRow, row)

    async def file(self, namespace: str, type: str, path: str) -> FileRow | None:
        """See Lookup."""
        row = self._one(FILE, namespace, type, path)
        return made(FileRow, row)

    async def extra(self, namespace: str, type: str, path: str, name: str) -> FileRow | None:
        """See Lookup."""
        row = self._one(EXTRA, namespace, type, path, name)
        return made(FileRow, row)

    async def shard(self, namespace: str, type: str, label: str, document: str, representation: str, sha256: str) -> ShardRow | None:
        """See Lookup."""
        row = self._one(SHARD, namespace, type, label, document, representation, sha256)
        return made(ShardRow, row)

    async def shard_body(self, id: int) -> bytes:
        """See Lookup."""
        try:
            row = self._ask(SHARD_BODY, id)
        except sqlite3.OperationalError as error:
            raise database_unavailable(UNREADABLE) from error
        if row is None:
            raise NotFound("This shard is no more; read the index again.")
        return bytes(row[0])

    async def namespace(self, namespace: str) -> NamespaceRow | None:
        """See Lookup."""
        row = self._one(NAMESPACE, namespace)
        return made(NamespaceRow, row)

    async def label(self, namespace_id: int, label: str) -> bool:
        """See Lookup."""
        return self._one(LABEL, namespace_id, label) is not None

    async def public_label(self, namespace_id: int, label: str) -> bool:
        """See Lookup."""
        return self._one(PUBLIC_LABEL, namespace_id, label) is not None

    async def release(self, package_id: int, version: str) -> bool:
        """See Lookup."""
        return self._one(RELEASE, package_id, version) is not None

    async def shown(self, head_id: int, audience: str, withdrawn_under: str) -> bool:
        """See Lookup."""
        return self._one(SHOWN, audience, head_id, withdrawn_under) is not None

    async def token(self, digest: str) -> CredentialRow | None:
        """See Lookup."""
        row = self._one(_TOKEN, digest)
        return made(CredentialRow, row)

    async def session(self, digest: str) -> CredentialRow | None:
        """See Lookup."""
        row = self._one(_SESSION, digest)
        return made(CredentialRow, row)

    async def private_packages(self, namespace_id: int) -> tuple[int, ...]:
        """See Lookup."""
        try:
            return tuple(row[0] for row in self._connection.execute(PRIVATE, (namespace_id,)))
        except sqlite3.OperationalError as error:
            raise database_unavailable(UNREADABLE) from error

    def close(self) -> None:
        """See Lookup."""
        self._connection.close()
