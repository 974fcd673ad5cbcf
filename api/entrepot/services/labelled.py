"""The labels of many files at once. In the caller's transaction, which holds their packages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from entrepot.db.sql import execute, fetch, fetch_one, marks, rows_of
from entrepot.services.heads import Touched
from entrepot.services.labels import label_ids
from entrepot.services.locks import refused_by_lock
from entrepot.services.removals import CHUNK, shown_in, withdrawn_in

if TYPE_CHECKING:
    from entrepot.services.actors import Actor


def chunks(ids: Iterable[int], size: int = CHUNK) -> Iterator[Sequence[int]]:
    """Ids, so many at a time as one statement takes."""
    held = list(ids)
    return (held[start : start + size] for start in range(0, len(held), size))


async def labels_of_files(file_ids: Iterable[int]) -> Mapping[int, Sequence[str]]:
    """The names of each file's labels, sorted; files without labels are not in it."""
    found: dict[int, list[str]] = defaultdict(list)
    for some in chunks(file_ids):
        rows = await fetch(
            f"""SELECT file_label.file_id, label.name FROM file_label JOIN label ON label.id = file_label.label_id
            WHERE file_label.file_id IN ({marks(some)}) ORDER BY label.name""",
            *some,
        )
        for row in rows:
            found[row["file_id"]].append(row["name"])
    return dict(found)


async def put_labels(actor: Actor, *, namespace_id: int, wanted: Mapping[int, Sequence[str]]) -> tuple[set[int], list[Touched]]:
    """Give files of one namespace labels, made where they are missing; answers the files that lacked one, and what shows them by it now.

    Raises PermissionDenied for a locked label that a file lacks.
    """
    withdrawn = await _withdrawn(wanted)
    has = await labels_of_files(wanted)
    lacking = [(file_id, name) for file_id, names in wanted.items() for name in names if name not in has.get(file_id, ())]
    if not lacking:
        return set(), withdrawn
    names = {name for _, name in lacking}
    ids = await label_ids(actor, namespace_id=namespace_id, names=sorted(names))
    for start in range(0, len(lacking), CHUNK):
        some = lacking[start : start + CHUNK]
        values = [value for file_id, name in some for value in (file_id, ids[name])]
        await execute(f"INSERT INTO file_label (file_id, label_id) VALUES {rows_of(len(some), 2)}", *values)
    changed = {file_id for file_id, _ in lacking}
    return changed, [*withdrawn, *await shown_under(sorted(changed), names)]


async def take_label(actor: Actor, *, namespace_id: int, label: str, file_ids: Sequence[int]) -> list[Touched]:
    """Take a label off files of one namespace; answers what showed them by it. Raises PermissionDenied for a locked label."""
    row = await fetch_one("SELECT id, locked_at FROM label WHERE namespace_id = $1 AND name = $2", namespace_id, label)
    if row is None:
        return []
    refusal = row["locked_at"] and refused_by_lock(actor, namespace_id=namespace_id, label=label)
    if refusal:
        raise refusal
    touched = await shown_under(file_ids, {label})
    for some in chunks(file_ids):
        await execute(f"DELETE FROM file_label WHERE label_id = $1 AND file_id IN ({marks(some, 2)})", row["id"], *some)
    return [*touched, *await _withdrawn(file_ids)]


async def shown_under(file_ids: Sequence[int], labels: set[str]) -> list[Touched]:
    """Every part of a document that shows one of the files under one of the labels."""
    touched: set[Touched] = set()
    for some in chunks(file_ids):
        touched |= {one for one in await shown_in(f"file.id IN ({marks(some)})", *some) if one.label in labels}
    return sorted(touched)


async def _withdrawn(file_ids: Iterable[int]) -> list[Touched]:
    """Every part of a document that tells of one of the files because it has no label."""
    return [one for some in chunks(file_ids) for one in await withdrawn_in(f"file.id IN ({marks(some)})", *some)]
