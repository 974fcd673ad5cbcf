"""Labels on files: which of a namespace's files a channel shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import Row, execute, fetch, marks, rows_of, transaction
from entrepot.errors import ValidationError
from entrepot.services import audit, heads
from entrepot.services.credentials import confirmed
from entrepot.services.heads import MAIN as MAIN
from entrepot.services.locks import refused_by_lock
from entrepot.services.notices import tell_of_package
from entrepot.services.removals import CHUNK, shown_in, withdrawn_in
from entrepot.services.selections import Address, FileSelection, selected

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

PATTERN = re.compile(r"[a-z][a-z0-9_.:-]{0,127}")


def label_name(name: str, *, field: str | None = None) -> str:
    """The one spelling of a label. Raises ValidationError with what a label may be, for the field of the input that holds it."""
    folded = name.lower()
    if not PATTERN.fullmatch(folded) or not name.isascii():
        raise ValidationError(
            f"{name[:140]!r} is no label: use a letter, then up to 127 letters, digits, '.', '_', ':' or '-'. "
            "A '/' is not possible, since labels stand in URLs.",
            field=field,
        )
    return folded


def label_names(names: Iterable[str]) -> list[str]:
    """The labels of an upload, each once: `main` where none is given."""
    found = sorted({label_name(name) for name in names}) or [MAIN]
    if len(found) > 32:
        raise ValidationError("A file takes 32 labels at most in one upload.")
    return found


async def label_ids(actor: Actor, *, namespace_id: int, names: Sequence[str]) -> dict[str, int]:
    """The ids of labels, made where they are missing. Raises PermissionDenied for a locked one. Runs in the caller's transaction."""
    rows = await fetch(f"SELECT id, name, locked_at FROM label WHERE namespace_id = $1 AND name IN ({marks(names, 2)})", namespace_id, *names)
    for row in rows:
        refusal = row["locked_at"] and refused_by_lock(actor, namespace_id=namespace_id, label=row["name"])
        if refusal:
            raise refusal
    found = {row["name"]: row["id"] for row in rows}
    missing = sorted(name for name in names if name not in found)  # sorted: two that make the same labels wait for each other, not in a ring
    if missing:
        values = [value for name in missing for value in (new_uuid(), namespace_id, name, now())]
        await execute(
            f"INSERT INTO label (uuid, namespace_id, name, created_at) VALUES {rows_of(len(missing), 4)} ON CONFLICT (namespace_id, name) DO NOTHING",
            *values,
        )
        made = await fetch(f"SELECT id, name FROM label WHERE namespace_id = $1 AND name IN ({marks(missing, 2)})", namespace_id, *missing)
        found |= {row["name"]: row["id"] for row in made}
    return found


async def add_label(site: Site, *, actor: Actor, namespace: str, type: str, path: str, label: str) -> None:
    """Put a label on one file; see `label_files`."""
    await label_files(site, actor=actor, selection=FileSelection(addresses=[Address(namespace, type, path)]), label=label)


async def remove_label(site: Site, *, actor: Actor, namespace: str, type: str, path: str, label: str) -> None:
    """Take a label off one file; see `unlabel_files`."""
    await unlabel_files(site, actor=actor, selection=FileSelection(addresses=[Address(namespace, type, path)]), label=label)


async def label_files(site: Site, *, actor: Actor, selection: FileSelection, label: str) -> list[str]:
    """Put a label on files, all or none of them, in one transaction; answers the ids of those that had not had it.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    return await _relabel(site, actor, selection, label_name(label), "label.add")


async def unlabel_files(site: Site, *, actor: Actor, selection: FileSelection, label: str) -> list[str]:
    """Take a label off files, all or none of them, in one transaction; answers the ids of those that had had it.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    return await _relabel(site, actor, selection, label_name(label), "label.remove")


async def _relabel(site: Site, actor: Actor, selection: FileSelection, label: str, action: str) -> list[str]:
    async with transaction():
        rows = (await selected(site, actor, selection)).or_raise()
        changed = await _without_or_with(rows, label, has=action == "label.remove")
        ids = [row["id"] for row in changed]
        label_of: dict[int, int] = {}
        for namespace_id in sorted({row["namespace_id"] for row in changed}):
            label_of[namespace_id] = (await label_ids(await confirmed(actor), namespace_id=namespace_id, names=[label]))[label]
        touched: list[heads.Touched] = []
        if action == "label.add":
            touched += await _withdrawn(ids)
            await _put(changed, label_of)
        touched += await _shown_under(ids, label)
        if action == "label.remove":
            await _take(ids, list(label_of.values()))
            touched += await _withdrawn(ids)
        await _record(actor, changed, selection, action, label)
        await heads.bump(touched)
    for package in {row["package_id"]: row for row in changed}.values():
        tell_of_package(site, actor, namespace=package["namespace"], package=package["package"], action=action, label=label)
    return [row["uuid"] for row in changed]


async def _without_or_with(rows: Sequence[Row], label: str, *, has: bool) -> list[Row]:
    """The files that have the label, or those that have it not."""
    labelled: set[int] = set()
    for start in range(0, len(rows), CHUNK):
        ids = [row["id"] for row in rows[start : start + CHUNK]]
        found = await fetch(
            f"""SELECT file_label.file_id FROM file_label JOIN label ON label.id = file_label.label_id
            WHERE label.name = $1 AND file_label.file_id IN ({marks(ids, 2)})""",
            label,
            *ids,
        )
        labelled |= {row["file_id"] for row in found}
    return [row for row in rows if (row["id"] in labelled) == has]


async def _put(rows: Sequence[Row], label_of: Mapping[int, int]) -> None:
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        values = [value for row in some for value in (row["id"], label_of[row["namespace_id"]])]
        await execute(f"INSERT INTO file_label (file_id, label_id) VALUES {rows_of(len(some), 2)}", *values)


async def _take(file_ids: Sequence[int], label_ids: Sequence[int]) -> None:
    for start in range(0, len(file_ids), CHUNK):
        some = file_ids[start : start + CHUNK]
        await execute(
            f"DELETE FROM file_label WHERE label_id IN ({marks(label_ids)}) AND file_id IN ({marks(some, len(label_ids) + 1)})", *label_ids, *some
        )


async def _shown_under(file_ids: Sequence[int], label: str) -> list[heads.Touched]:
    touched: list[heads.Touched] = []
    for start in range(0, len(file_ids), CHUNK):
        some = file_ids[start : start + CHUNK]
        touched += [one for one in await shown_in(f"file.id IN ({marks(some)})", *some) if one.label == label]
    return touched


async def _withdrawn(file_ids: Sequence[int]) -> list[heads.Touched]:
    """What tells of those of the files that have no label."""
    touched: list[heads.Touched] = []
    for start in range(0, len(file_ids), CHUNK):
        some = file_ids[start : start + CHUNK]
        touched += await withdrawn_in(f"file.id IN ({marks(some)})", *some)
    return touched


async def _record(actor: Actor, changed: Sequence[Row], selection: FileSelection, action: str, label: str) -> None:
    """An event for each file that was named, or one for the package or release that was."""
    if selection.whole and changed:
        subject = f"{changed[0]['namespace']}/{changed[0]['package']}"
        details = {"label": label, "files": len(changed)} | ({"version": changed[0]["version"]} if selection.release else {})
        await audit.record(actor=actor, action=action, subject=subject, namespace_id=changed[0]["namespace_id"], details=details)
        return
    for file in changed:
        await audit.record(
            actor=actor,
            action=action,
            subject=f"{file['namespace']}/{file['type']}/{file['path']}",
            namespace_id=file["namespace_id"],
            details={"label": label},
        )
