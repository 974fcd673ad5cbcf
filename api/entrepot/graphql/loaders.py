"""One loader for each relation: what the fields of an answer ask for one by one is asked of the database together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from strawberry.dataloader import DataLoader

from entrepot.db.sql import Row
from entrepot.errors import EntrepotError
from entrepot.graphql.audit import AuditEvent
from entrepot.graphql.files import file_of
from entrepot.graphql.group import Group
from entrepot.graphql.interfaces import File, PackageFacet
from entrepot.graphql.label import Label
from entrepot.graphql.namespace import Namespace, namespace_of
from entrepot.graphql.notice import Notice
from entrepot.graphql.package import Package
from entrepot.graphql.packagetype import PackageType
from entrepot.graphql.page import Filter, ListKey, Loaded, PageKey
from entrepot.graphql.release import Release
from entrepot.graphql.token import Token
from entrepot.services import channelnotices
from entrepot.services.catalog import audit, downloads, files, groups, labels, namespaces, packages, releases
from entrepot.services.catalog.pages import Condition, Page, count, counts, page, pages
from entrepot.services.files import extras_of

if TYPE_CHECKING:
    from entrepot.graphql.context import Context

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V]):
    """A loader whose answers survive that one of those who wait for them is cancelled.

    graphql-core cancels the siblings of a field that fails. A cancelled wait cancels the future that it waits for, and with it everybody else's wait
    for the same key, all over the answer.
    """

    def load(self, key: K) -> Awaitable[V]:
        """Wait for what belongs to the key."""
        return asyncio.shield(super().load(key))


def in_order(found: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> Loader[K, Any]:
    """A loader from a function that answers by key; None for a key without an answer."""

    async def load(keys: list[K]) -> list[V | None]:
        by_key = await found(keys)
        return [by_key.get(key) for key in keys]

    return Loader(load)


class Loaders:
    """The loaders of one request; each is made when it is first needed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._site = context.site
        self._actor = context.actor

    def forget(self) -> None:
        """Let go of what was loaded. Loaders and their answers refer to each other: else all of it would stay until a garbage collection finds it."""
        for name in [name for name in self.__dict__ if not name.startswith("_")]:
            del self.__dict__[name]

    @cached_property
    def types(self) -> Mapping[str, PackageType]:
        """The loaded package types by name."""
        return {name: PackageType.of(package_type) for name, package_type in self._site.registry.types.items()}

    @cached_property
    def namespace(self) -> Loader[int, Namespace]:
        """By inner id."""

        async def found(ids: list[int]) -> dict[int, Namespace]:
            return {key: namespace_of(self._context, row) for key, row in (await namespaces.namespaces_by_id(ids)).items()}

        return in_order(found)

    @cached_property
    def known_organization(self) -> Loader[int, bool]:
        """By inner id, whether the actor may know who belongs to an organization."""
        return in_order(lambda ids: groups.known_organizations(self._actor, ids))

    @cached_property
    def changes_owners(self) -> Loader[int, bool]:
        """By inner id, whether the actor, who administers an organization, is one of its owners or administers the site."""
        return in_order(lambda ids: groups.changes_owners(self._actor, ids))

    @cached_property
    def may_be_left(self) -> Loader[int, bool]:
        """By the inner id of the group, whether the actor is a member and may leave."""
        return in_order(lambda ids: groups.may_be_left(self._actor, ids))

    @cached_property
    def package(self) -> Loader[int, Package]:
        """By inner id, for what belongs to a package that the actor was shown."""

        async def found(ids: list[int]) -> dict[int, Package]:
            return {key: Package.of(self._context, row) for key, row in (await packages.packages_by_id(ids)).items()}

        return in_order(found)

    @cached_property
    def readable_package(self) -> Loader[int, Package | None]:
        """By inner id, for what the actor was shown although it may not be shown the package; None where it may not."""

        async def found(ids: list[int]) -> dict[int, Package]:
            rows = await packages.readable_packages(self._site, self._actor, ids)
            return {key: Package.of(self._context, row) for key, row in rows.items()}

        return in_order(found)

    @cached_property
    def release(self) -> Loader[int, Release]:
        """By inner id, for what belongs to a release that the actor was shown."""

        async def found(ids: list[int]) -> dict[int, Release]:
            return {key: Release.of(row) for key, row in (await releases.releases_by_id(ids)).items()}

        return in_order(found)

    @cached_property
    def latest_release(self) -> Loader[int, Release | None]:
        """By the inner id of the package."""

        async def found(ids: list[int]) -> dict[int, Release]:
            return {key: Release.of(row) for key, row in (await releases.latest_releases(ids)).items()}

        return in_order(found)

    @cached_property
    def bindings(self) -> Loader[int, list[Row]]:
        """By the inner id of the package."""
        return in_order(lambda ids: packages.bindings_of(self._site, ids))

    @cached_property
    def bindings_under(self) -> Loader[tuple[str, int], set[int]]:
        """The inner ids of the bindings that have files with a label, by the label and the inner id of the package."""

        async def load(keys: list[tuple[str, int]]) -> list[set[int]]:
            by_label: dict[str, list[int]] = defaultdict(list)
            for label, package in keys:
                by_label[label].append(package)
            found = {label: await packages.bindings_under(label, some) for label, some in by_label.items()}
            return [found[label] for label, _ in keys]

        return Loader(load)

    @cached_property
    def facets(self) -> Loader[int, list[PackageFacet]]:
        """By the inner id of the package."""

        async def load(ids: list[int]) -> list[list[PackageFacet]]:
            bindings = await asyncio.gather(*(self.bindings.load(one) for one in ids))
            flat = [binding for some in bindings for binding in some]
            found: dict[int, list[Any]] = {one: [] for one in ids}
            for binding, summary in zip(flat, await packages.summaries_of(flat), strict=True):
                facet = self._site.registry.types[binding["type"]].facet(summary)
                found[binding["package_id"]] += [] if facet is None else [facet]
            return [found[one] for one in ids]

        return Loader(load)

    @cached_property
    def labels_of_file(self) -> Loader[int, list[Label]]:
        """By the inner id of the file."""
        return self._labels(labels.labels_of_files)

    @cached_property
    def labels_of_package(self) -> Loader[int, list[Label]]:
        """By the inner id of the package."""
        return self._labels(labels.labels_of_packages)

    @cached_property
    def labels_of_namespace(self) -> Loader[int, list[Label]]:
        """By the inner id of the namespace."""
        return self._labels(lambda ids: labels.labels_of_namespaces(self._site, self._actor, ids))

    @cached_property
    def notices_of_namespace(self) -> Loader[int, list[Notice]]:
        """By the inner id of the namespace."""

        async def found(ids: list[int]) -> dict[int, list[Notice]]:
            return {key: [Notice.of(row) for row in rows] for key, rows in (await channelnotices.notices_of_namespaces(ids)).items()}

        return in_order(found)

    def _labels(self, read: Callable[[list[int]], Awaitable[Mapping[int, Sequence[Row]]]]) -> Loader[int, list[Label]]:
        async def found(ids: list[int]) -> dict[int, list[Label]]:
            return {key: [Label.of(row) for row in rows] for key, rows in (await read(ids)).items()}

        return in_order(found)

    @cached_property
    def downloads_of_file(self) -> Loader[int, int]:
        """By the inner id of the file."""
        return in_order(downloads.downloads_of_files)

    @cached_property
    def downloads_of_package(self) -> Loader[int, int]:
        """By the inner id of the package."""
        return in_order(downloads.downloads_of_packages)

    async def files_by_uuid(self, uuids: Sequence[str]) -> list[File]:
        """Files that the actor was shown."""
        return await self._files(await files.files_by_uuid(self._site, uuids))

    async def file_by_uuid(self, uuid: str) -> File | None:
        """The file of an id, if the actor may read it."""
        row = await files.file_by_uuid(self._site, self._actor, uuid=uuid)
        return None if row is None else (await self._files([row]))[0]

    @cached_property
    def page(self) -> Loader[PageKey, Loaded]:
        """Pages of lists. The first pages of lists of one kind are read together."""
        return Loader(self._load_pages)

    @cached_property
    def count(self) -> Loader[ListKey, int]:
        """The lengths of lists."""
        return Loader(self._load_counts)

    async def _load_pages(self, keys: list[PageKey]) -> list[Loaded | EntrepotError]:
        groups: dict[Any, list[PageKey]] = defaultdict(list)
        for key in keys:
            alone = key if key.after is not None else None
            groups[key.list.source, key.list.wanted, key.order, key.first, alone].append(key)
        found: dict[PageKey, Loaded | EntrepotError] = {}
        for group in groups.values():
            try:
                found |= await self._page_group(group)
            except EntrepotError as error:  # of this group's arguments; the others' are fine
                found |= dict.fromkeys(group, error)
        return [found[key] for key in keys]

    async def _page_group(self, group: list[PageKey]) -> dict[PageKey, Loaded]:
        """Pages that differ in their parents alone."""
        (source, parent, wanted), order, first, after = group[0]
        condition = self._condition(wanted)
        read: dict[int | None, Page] = {}
        if len(group) == 1:
            if parent is not None:
                condition.add_among(f"{source.table}.{source.parent}", [parent])
            read[parent] = await page(source, condition, order, first=first, after=after)
        else:
            parents = [key.list.parent for key in group if key.list.parent is not None]
            for one, its_page in (await pages(source, condition, order, parents=parents, first=first)).items():
                read[one] = its_page
        nodes = iter(await self._nodes(source.table, [row for one in read.values() for row in one.rows]))
        loaded = {parent: Loaded(one, [next(nodes) for _ in one.rows]) for parent, one in read.items()}
        return {key: loaded[key.list.parent] for key in group}

    async def _load_counts(self, keys: list[ListKey]) -> list[int | EntrepotError]:
        groups: dict[Any, list[ListKey]] = defaultdict(list)
        for key in keys:
            groups[key.source, key.wanted, key.parent is None].append(key)
        found: dict[ListKey, int | EntrepotError] = {}
        for group in groups.values():
            try:
                found |= await self._count_group(group)
            except EntrepotError as error:
                found |= dict.fromkeys(group, error)
        return [found[key] for key in keys]

    async def _count_group(self, group: list[ListKey]) -> dict[ListKey, int]:
        source, parent, wanted = group[0]
        condition = self._condition(wanted)
        if parent is None:
            return dict.fromkeys(group, await count(source, condition))
        by_parent = await counts(source, condition, parents=[key.parent for key in group if key.parent is not None])
        return {key: by_parent[key.parent] for key in group if key.parent is not None}

    def _condition(self, wanted: Filter) -> Condition:
        if isinstance(wanted, audit.AuditFilter):
            return audit.condition_for(wanted)
        if isinstance(wanted, packages.PackageFilter):
            return packages.condition_for(self._site, self._actor, wanted)
        if isinstance(wanted, groups.KnownOrganizations):
            return groups.condition_for(self._actor)
        return Condition() if wanted is None else files.condition_for(self._site, wanted)

    async def _nodes(self, table: str, rows: Sequence[Row]) -> list[Any]:
        if table == "package":
            return [Package.of(self._context, row) for row in rows]
        if table == "namespace":
            return [namespace_of(self._context, row) for row in rows]
        if table == "member_group":
            return [Group.of(row) for row in rows]
        if table == "token":
            return [Token.of(row) for row in rows]
        if table == "audit_event":
            return [AuditEvent.of(row) for row in rows]
        return [Release.of(row) for row in rows] if table == "release" else await self._files(rows)

    async def _files(self, rows: Sequence[Row]) -> list[File]:
        if not rows:
            return []
        names = tuple(rows[0].keys())
        held: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]  # reading SQLite's rows by name searches for it each time
        bindings = await files.bindings_by_id(list({one["binding_id"] for one in held}))
        extras = await extras_of([one["id"] for one in held])
        return [file_of(self._context, one, bindings[one["binding_id"]], extras[one["id"]]) for one in held]
