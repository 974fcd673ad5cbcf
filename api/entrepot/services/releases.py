"""Releases, and the order of their versions.

A package of one type orders its releases as that type does. Keys of different types do not compare, so in a package of several types all releases
have the common key below, from the moment when its second type comes in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, fetch_one, transact
from entrepot.services import audit, heads
from entrepot.services.grants import Level
from entrepot.services.notices import tell_of_files, tell_of_package
from entrepot.services.removals import Removal, remove_rows
from entrepot.services.selections import FileSelection, locked_release, selected

if TYPE_CHECKING:
    from entrepot.packagetype import PackageType
    from entrepot.services.actors import Actor
    from entrepot.site import Site

TOKEN = re.compile(r"\d+|[a-z]+|\+")
DEV, WORD, END, PLUS, POST, NUMBER = (bytes([number]) for number in range(1, 7))
LONGEST_NUMBER = 200


def common_version_key(version: str) -> bytes:
    """Bytes that sort as people read versions, whatever the type: as PEP 440 does for its versions, and nearly as conda does for its own.

    Epochs (`1!2.0`) come first; numbers count as numbers; `1.0.dev1` < `1.0a1` < `1.0` = `1.0.0` < `1.0+local` < `1.0.post1` < `1.0.1`.
    """
    epoch, _, rest = version.lower().rpartition("!")
    tokens = TOKEN.findall(rest.lstrip("v"))
    return _number(epoch if epoch.isdigit() else "0") + b"".join(map(_token, _without_zeros(tokens))) + END


def _without_zeros(tokens: list[str]) -> list[str]:
    """The tokens without the zeros that end a run of numbers."""
    kept: list[str] = []
    for token in [*tokens, ""]:
        if not token.isdigit():
            while kept and kept[-1].isdigit() and not int(kept[-1]) and (len(kept) == 1 or kept[-2].isdigit()):
                kept.pop()
        kept.append(token)
    return kept[:-1]


def _token(token: str) -> bytes:
    if token.isdigit():
        return NUMBER + _number(token)
    if token == "+":
        return PLUS
    if token == "dev":
        return DEV
    return POST if token in ("post", "rev", "r") else WORD + token.encode() + b"\0"


def _number(digits: str) -> bytes:
    digits = digits.lstrip("0")[:LONGEST_NUMBER]
    return bytes([len(digits)]) + digits.encode()


async def release_id(package_type: PackageType, *, package_id: int, version: str, canonical_version: str, at: int) -> int:
    """The release of a version, made where it is missing. In the caller's transaction."""
    row = await fetch_one("SELECT id FROM release WHERE package_id = $1 AND canonical_version = $2", package_id, canonical_version)
    if row is None:
        mixed = await fetch_one("SELECT id FROM binding WHERE package_id = $1 AND type <> $2 LIMIT 1", package_id, package_type.name)
        [row] = await fetch(
            """INSERT INTO release (uuid, package_id, version, canonical_version, version_key, created_at)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
            new_uuid(),
            package_id,
            version,
            canonical_version,
            common_version_key(version) if mixed else package_type.version_key(version),
            at,
        )
    return int(row["id"])


async def order_by_common_key(package_id: int) -> None:
    """Give the releases of a package that has got a second type the key that all types share. In the caller's transaction."""
    for row in await fetch("SELECT id, version FROM release WHERE package_id = $1", package_id):
        await execute("UPDATE release SET version_key = $1 WHERE id = $2", common_version_key(row["version"]), row["id"])


async def remove_release(site: Site, *, actor: Actor, release: str) -> Row:
    """Remove a release by its id, with all its files, leaving their tombstones; answers what it was. The package stays.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """

    async def write() -> tuple[Row, Removal, dict[str, Any]]:
        row = await locked_release(site, actor, Level.WRITE, uuid=release)
        files = (await selected(site, actor, FileSelection(release=release))).or_raise()
        removal = await remove_rows(actor, files)
        await execute("DELETE FROM release WHERE id = $1", row["release_id"])
        subject, details = f"{row['namespace']}/{row['package']}", {"version": row["version"], "files": len(files)}
        await audit.record(actor=actor, action="release.remove", subject=subject, namespace_id=row["namespace_id"], details=details)
        await heads.bump(removal.touched)
        return row, removal, details

    row, removal, details = await transact(write)
    tell_of_files(site, "file_removed", removal.events)
    tell_of_package(site, actor, namespace=row["namespace"], package=row["package"], action="release.remove", **details)
    return row
