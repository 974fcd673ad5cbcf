"""Labels: which of a namespace's files a channel shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, marks, rows_of, transaction
from entrepot.errors import PermissionDenied, ValidationError
from entrepot.services import audit, files, heads
from entrepot.services.permissions import Level, namespace_level

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

MAIN = "main"
PATTERN = re.compile(r"[a-z][a-z0-9_.:-]{0,127}")


def label_name(name: str) -> str:
    """The one spelling of a label. Raises ValidationError with what a label may be."""
    folded = name.lower()
    if not PATTERN.fullmatch(folded) or not name.isascii():
        raise ValidationError(
            f"{name[:140]!r} is no label: use a letter, then up to 127 letters, digits, '.', '_', ':' or '-'. "
            "A '/' is not possible, since labels stand in URLs."
        )
    return folded


def label_names(names: Iterable[str]) -> list[str]:
    """The labels of an upload, each once: `main` where none is given."""
    found = sorted({label_name(name) for name in names}) or [MAIN]
    if len(found) > 32:
        raise ValidationError("A file takes 32 labels at most in one upload.")
    return found


async def label_ids(site: Site, actor: Actor, *, namespace_id: int, names: Sequence[str]) -> dict[str, int]:
    """The ids of labels, made where they are missing. Raises PermissionDenied for a locked one. Runs in the caller's transaction."""
    rows = await fetch(f"SELECT id, name, locked_at FROM label WHERE namespace_id = $1 AND name IN ({marks(names, 2)})", namespace_id, *names)
    for row in rows:
        if row["locked_at"] is not None and namespace_level(site, actor, namespace_id=namespace_id) < Level.ADMIN:
            raise PermissionDenied(f"The label {row['name']} is locked. Ask an administrator of the namespace, or use another label.")
    found = {row["name"]: row["id"] for row in rows}
    missing = [name for name in names if name not in found]
    if missing:
        values = [value for name in missing for value in (new_uuid(), namespace_id, name, now())]
        made = await fetch(f"INSERT INTO label (uuid, namespace_id, name, created_at) VALUES {rows_of(len(missing), 4)} RETURNING id, name", *values)
        found |= {row["name"]: row["id"] for row in made}
    return found


async def add_label(site: Site, *, actor: Actor, namespace: str, type: str, path: str, label: str) -> None:
    """Put a label on a file; nothing happens where it is. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError."""
    name = label_name(label)
    async with transaction():
        file = files.require_file(
            site, actor, await files.locked_file(namespace=namespace, type=type, path=path), namespace=namespace, type=type, path=path
        )
        ids = await label_ids(site, actor, namespace_id=file["namespace_id"], names=[name])
        added = await fetch(
            "INSERT INTO file_label (file_id, label_id) VALUES ($1, $2) ON CONFLICT (file_id, label_id) DO NOTHING RETURNING id",
            file["id"],
            ids[name],
        )
        if added:
            await _record(actor, file, "label.add", name)
            await heads.bump(files.touched(file, [name], await files.documents_of(file["id"])))


async def remove_label(site: Site, *, actor: Actor, namespace: str, type: str, path: str, label: str) -> None:
    """Take a label off a file; nothing happens where it is not. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError."""
    name = label_name(label)
    async with transaction():
        file = files.require_file(
            site, actor, await files.locked_file(namespace=namespace, type=type, path=path), namespace=namespace, type=type, path=path
        )
        if name in await files.labels_of(file["id"]):
            ids = await label_ids(site, actor, namespace_id=file["namespace_id"], names=[name])
            await execute("DELETE FROM file_label WHERE file_id = $1 AND label_id = $2", file["id"], ids[name])
            await _record(actor, file, "label.remove", name)
            await heads.bump(files.touched(file, [name], await files.documents_of(file["id"])))


async def _record(actor: Actor, file: Row, action: str, label: str) -> None:
    await audit.record(
        actor=actor,
        action=action,
        subject=f"{file['namespace']}/{file['type']}/{file['path']}",
        namespace_id=file["namespace_id"],
        details={"label": label},
    )
