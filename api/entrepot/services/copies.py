"""Copies: files of packages that the actor may read appear in another namespace, or under other labels, without their bytes being read or sent.

A move is a copy after which the files go from where they were, in the same transaction. Everything is done, or nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tortoise.exceptions import IntegrityError

from entrepot.clock import now
from entrepot.db.sql import Row, fetch, fetch_one, marks, transact
from entrepot.errors import NotFound, Unauthenticated, Unavailable, ValidationError
from entrepot.hooks import FileEvent
from entrepot.services import audit, heads
from entrepot.services.credentials import confirmed
from entrepot.services.grants import Level
from entrepot.services.homes import Home, Name, found_home, guests_of, home_for, touch_homes
from entrepot.services.labelled import chunks, labels_of_files, put_labels, take_label
from entrepot.services.labels import label_name, label_names
from entrepot.services.meetings import CopyMode, meetings
from entrepot.services.namespaces import name_key
from entrepot.services.notices import file_event, tell_of_files, tell_of_package
from entrepot.services.permissions import API_READ, API_WRITE, NO_TOKEN, On, given, not_found, require
from entrepot.services.placing import AT_ONCE, Placing
from entrepot.services.removals import remove_rows
from entrepot.services.selections import COLUMNS, TABLES, FileSelection, readable

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

__all__ = ["Copied", "CopyMode", "Order", "copy_files"]

MOST_READ = 5_000
"""How many files one call copies of packages that the actor may only read: those who write to them wait for it."""
TRIES = 4
"""How often a copy is tried that meets another change of the same packages or paths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be copied, or moved, and where to."""

    selection: FileSelection
    to: str | None = None
    """The name of the target namespace; None: the files' own."""
    labels: Sequence[str] | None = None
    """The labels that the files get there, none of them too; None: those that they have here."""
    from_label: str | None = None
    """Only files of the selection that have this label. Within a namespace a move takes it off them."""
    mode: CopyMode = CopyMode.REFUSE
    moves: bool = False

    @property
    def action(self) -> str:
        """What the audit log calls it."""
        return "file.move" if self.moves else "file.copy"


@dataclass(slots=True)
class Copied:
    """What was done."""

    added: list[str] = field(default_factory=list)
    """The ids of files that are new in the target."""
    unchanged: list[str] = field(default_factory=list)
    """The ids of files that were there with the same bytes: their labels alone may have changed."""
    published: list[FileEvent] = field(default_factory=list)
    removed: list[FileEvent] = field(default_factory=list)
    relabelled: list[tuple[str, str]] = field(default_factory=list)
    """Namespaces and names of packages of which files that were there got other labels."""


async def copy_files(site: Site, *, actor: Actor, order: Order) -> Copied:
    """Copy files that the actor may read to where it may write, or move those that it may remove.

    Raises NotFound, Unauthenticated, PermissionDenied, ValidationError, Unavailable, and one Conflict that names all that is in the way.
    """
    if actor.anonymous:
        raise Unauthenticated(NO_TOKEN)
    labels = label_names(order.labels) if order.labels else order.labels
    from_label = None if order.from_label is None else label_name(order.from_label, field="from_label")
    order = replace(order, labels=labels, from_label=from_label)
    for left in reversed(range(TRIES)):
        try:
            copied = await transact(lambda: _Copying(site, actor, order).run())
        except IntegrityError as error:  # a package or path that came to be meanwhile: the next try sees it
            if not left:
                raise Unavailable("Other changes of the same packages got in the way. Try again.") from error
        else:
            break
    tell_of_files(site, "file_removed", copied.removed)
    tell_of_files(site, "file_published", copied.published)
    for namespace, package in copied.relabelled:
        tell_of_package(site, actor, namespace=namespace, package=package, action=order.action)
    return copied


class _Copying:
    """One transaction."""

    def __init__(self, site: Site, actor: Actor, order: Order) -> None:
        self.site = site
        self.actor = actor
        self.order = order
        self.at = now()
        self.target: Row = {}
        self.held: set[int] = set()
        self.homes: dict[Name, Home] = {}
        self.touched: list[heads.Touched] = []
        self.done = Copied()

    async def run(self) -> Copied:
        """All of it, with the heads bumped last."""
        sources = await self._sources()
        within = self._within(sources)
        if self.order.moves:
            self._require_removal(sources)
        for guest in guests_of(sources):
            self.homes[guest.name] = await home_for(self.site, self.actor, self.target, guest, held=self.held, at=self.at)
        had = await labels_of_files(row["id"] for row in sources)
        labels = {row["id"]: had.get(row["id"], ()) if self.order.labels is None else self.order.labels for row in sources}
        mode = CopyMode.REFUSE if within else self.order.mode  # each file meets itself
        met = await meetings(sources, self.target, mode=mode, homes={home.package_id for home in self.homes.values()})
        await self._replace(met.replaced)
        placed = await self._place([row["id"] for row in met.coming if row["id"] not in met.same])
        self.done.unchanged = [row["uuid"] for row in met.same.values()]
        landed = placed | {source_id: row["id"] for source_id, row in met.same.items()}
        wanted = {file_id: labels[source_id] for source_id, file_id in landed.items()}
        relabelled, touched = await put_labels(self.actor, namespace_id=self.target["id"], wanted=wanted)
        self.touched += touched
        if self.order.moves:
            await self._leave(met.coming, within=within)
        changed = [row for row in met.coming if self.order.moves or row["id"] in placed or landed[row["id"]] in relabelled]
        await self._tell(changed, placed, labels)
        await heads.bump(self.touched)
        return self.done

    # -- finding and locking ------------------------------------------------------------------------------------------

    async def _sources(self) -> Sequence[Row]:
        """What is meant, with everything held that decides about it: namespaces, then packages, each in the order of their ids."""
        first = await self._chosen()
        target = await self._target(first)
        namespaces = sorted({target["id"], *(row["namespace_id"] for row in first)})
        await fetch(f"SELECT id FROM namespace WHERE id IN ({marks(namespaces)}) ORDER BY id {{share}}", *namespaces)
        packages = {row["package_id"] for row in first}
        there = {home["package_id"] for guest in guests_of(first) if (home := await found_home(target["id"], guest)) is not None}
        self.held = there | packages if self.order.moves else there
        # who only reads a package holds up those who change it, and no other reader
        for held, some in groupby(sorted(packages | there), lambda one: one in self.held):
            ids = list(some)
            await fetch(f"SELECT id FROM package WHERE id IN ({marks(ids)}) ORDER BY id {'{lock}' if held else '{share}'}", *ids)
        self.actor = await confirmed(self.actor)
        rows = await self._chosen()
        self.target = await self._target(rows)
        if not {row["package_id"] for row in rows} <= packages or not {self.target["id"], *(row["namespace_id"] for row in rows)} <= set(namespaces):
            raise IntegrityError("a package was made or has moved just now")
        return rows

    async def _chosen(self) -> Sequence[Row]:
        rows, label = await readable(self.site, self.actor, self.order.selection), self.order.from_label
        if label is not None:
            had = await labels_of_files(row["id"] for row in rows)
            rows = [row for row in rows if label in had.get(row["id"], ())]
        if not rows:
            raise NotFound(f"There is no such file{'' if label is None else f' with the label {label}'}; nothing was changed.")
        self._require_few(rows)
        return rows

    def _require_few(self, rows: Sequence[Row]) -> None:
        """Let pass who does not hold up others for long. Raises ValidationError."""
        if len(rows) <= MOST_READ:
            return
        ours = {row["package_id"]: given(self.actor, namespace_id=row["namespace_id"], package_id=row["package_id"]) for row in rows}
        count = sum(ours[row["package_id"]] < Level.WRITE for row in rows)
        if count > MOST_READ:
            raise ValidationError(
                f"These are {count:,} files of packages that {self.actor.name} may read and not write to, of which one copy takes "
                f"{MOST_READ:,} at most. Copy release by release.",
                field="files",
            )

    async def _target(self, rows: Sequence[Row]) -> Row:
        names = {name_key(row["namespace"]) for row in rows} if self.order.to is None else {name_key(self.order.to)}
        if len(names) > 1:
            raise ValidationError("The files are in several namespaces. Name the one that they shall go to.", field="namespace")
        row = await fetch_one('SELECT id, name, "replace", strictness FROM namespace WHERE name_key = $1', *names)
        if row is None:
            raise not_found(f"namespace {str(self.order.to)[:64]}")
        return row

    def _within(self, sources: Sequence[Row]) -> bool:
        """Whether the files are in the target already. Raises ValidationError for what would change nothing, or would be half a move."""
        inside = [row for row in sources if row["namespace_id"] == self.target["id"]]
        if not inside:
            return False
        if len(inside) < len(sources):
            raise ValidationError(
                f"Some of the files are in {self.target['name']} already, others are not. Change one kind at a time.", field="files"
            )
        if self.order.labels is None:
            raise ValidationError("Within a namespace files can only get other labels. Say which.", field="labels")
        if self.order.moves and self.order.from_label is None:
            raise ValidationError("Within a namespace files move from one label to others. Say which they shall lose.", field="from_label")
        return True

    def _require_removal(self, sources: Sequence[Row]) -> None:
        for row in {(row["package_id"], row["type"]): row for row in sources}.values():
            needs, reads = (f"{row['type']}:upload", *API_WRITE), (f"{row['type']}:download", *API_READ)
            require(self.site, self.actor, Level.WRITE, On.package_of(row), needs=needs, reads=reads)

    # -- changing -----------------------------------------------------------------------------------------------------

    async def _replace(self, ids: Sequence[int]) -> None:
        """Remove files that give way to those that come."""
        for some in chunks(ids):
            rows = await fetch(f"SELECT {COLUMNS} FROM {TABLES} WHERE file.id IN ({marks(some)}) ORDER BY file.id", *some)
            await self._remove(rows)
            for row in rows:
                subject = f"{row['namespace']}/{row['type']}/{row['path']}"
                await audit.record(actor=self.actor, action="file.remove", subject=subject, namespace_id=row["namespace_id"])

    async def _remove(self, rows: Sequence[Row], *, moved_to: int | None = None) -> None:
        removal = await remove_rows(self.actor, rows, moved_to=moved_to)
        self.touched += removal.touched
        self.done.removed += removal.events

    async def _place(self, source_ids: Sequence[int]) -> dict[int, int]:
        """Copy files; answers the new ones by those that they were copied from."""
        placing = Placing(self.site, self.actor, self.target, self.homes, self.at)
        placed: dict[int, int] = {}
        for some in chunks(source_ids, AT_ONCE):
            made = await placing.place(some)
            placed |= {source_id: row["id"] for source_id, row in made.items()}
            self.done.added += [row["uuid"] for row in made.values()]
        return placed

    async def _leave(self, rows: Sequence[Row], *, within: bool) -> None:
        """Take the files that were moved from where they were."""
        label = self.order.from_label
        if not within:
            await self._remove(rows, moved_to=self.target["id"])
        elif label is not None and label not in (self.order.labels or ()):
            ids = [row["id"] for row in rows]
            self.touched += await take_label(self.actor, namespace_id=self.target["id"], label=label, file_ids=ids)

    # -- telling ------------------------------------------------------------------------------------------------------

    async def _tell(self, changed: Sequence[Row], placed: Mapping[int, int], labels: Mapping[int, Sequence[str]]) -> None:
        """Of each file that was named, or of each package of which a package or release was; a move is told on both sides."""
        relabelled: set[tuple[str, str]] = set()
        for row in changed:
            package = self._home(row).package
            if row["id"] in placed:
                event = file_event(row, labels[row["id"]], self.actor)
                self.done.published.append(replace(event, namespace=self.target["name"], package=package))
            else:
                relabelled.add((self.target["name"], package))
        self.done.relabelled = sorted(relabelled)
        await touch_homes([self._home(row) for row in changed], self.at)
        whole = self.order.selection.whole
        for _, some in groupby(sorted(changed, key=_order), lambda row: (row["package_id"], 0 if whole else row["id"])):
            await self._record(list(some), labels)

    async def _record(self, rows: Sequence[Row], labels: Mapping[int, Sequence[str]]) -> None:
        row, order = rows[0], self.order
        details: dict[str, Any] = {"labels": sorted({label for one in rows for label in labels[one["id"]]})}
        details |= {"from_label": order.from_label} if order.from_label else {}
        if order.selection.whole:
            here, there = f"{row['namespace']}/{row['package']}", f"{self.target['name']}/{self._home(row).package}"
            details |= {"files": len(rows)} | ({"version": row["version"]} if order.selection.release else {})
        else:
            here, there = (f"{namespace}/{row['type']}/{row['path']}" for namespace in (row["namespace"], self.target["name"]))
            details |= {"sha256": row["sha256"]}
        await audit.record(actor=self.actor, action=order.action, subject=there, namespace_id=self.target["id"], details={"from": here, **details})
        if order.moves and row["namespace_id"] != self.target["id"]:
            await audit.record(
                actor=self.actor, action=order.action, subject=here, namespace_id=row["namespace_id"], details={"to": there, **details}
            )

    def _home(self, row: Row) -> Home:
        return self.homes[Name(row["type"], row["name"])]


def _order(row: Row) -> tuple[int, int]:
    return row["package_id"], row["id"]
