"""One import, from looking through the folder to the last file."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from entrepot.errors import NotFound, Unavailable, ValidationError
from entrepot.services.imports.folders import Folder, FoundFile
from entrepot.services.imports.intake import Intake
from entrepot.services.imports.order import import_order
from entrepot.services.imports.present import PresentFile, present_files
from entrepot.services.imports.survey import survey
from entrepot.services.labels import label_names

if TYPE_CHECKING:
    from entrepot.db.lookup import NamespaceRow
    from entrepot.services.imports.request import Request, Watcher
    from entrepot.site import Site

T = TypeVar("T")
BATCH = 200


class Stopped(Exception):
    """The run was told to end while it waited."""


class Import:
    """One run. `stop` ends it after the files that are being taken."""

    def __init__(self, site: Site, request: Request, watcher: Watcher) -> None:
        self._site = site
        self._request = request
        self._watcher = watcher
        self._stop = asyncio.Event()
        self._types = [site.registry.type_named(name) for name in dict.fromkeys(request.types)] or list(site.registry.types.values())
        self._jobs = max(2, os.cpu_count() or 1) if request.jobs is None else request.jobs
        self._labels = label_names(request.labels)
        self._waiting: deque[FoundFile] = deque()
        self._ready: deque[tuple[FoundFile, list[PresentFile]]] = deque()
        self._refilling = asyncio.Lock()

    def stop(self) -> None:
        """End the run soon; what has been imported stays."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the run was told to end."""
        return self._stop.is_set()

    async def run(self) -> None:
        """Import, to the end or until stopped. Raises NotFound, ValidationError; Unavailable where a part of the server stays away."""
        if self._jobs < 1:
            raise ValidationError("An import takes one file at a time at least: --jobs must be 1 or more.")
        namespace = await self._site.lookup.namespace(self._request.namespace.lower())
        if namespace is None:
            name = self._request.namespace[:64]
            raise NotFound(f"There is no namespace {name}. Create it first, with the user that owns it: entrepot user create {name}")
        folder = await asyncio.to_thread(Folder, self._request.folder, exclude=self._request.exclude, apart=[self._site.settings.data])
        try:
            await self._import(folder, namespace)
        finally:
            folder.close()

    async def _import(self, folder: Folder, namespace: NamespaceRow) -> None:
        seen = await asyncio.to_thread(survey, folder, self._types, lambda: self.stopped)
        for line in seen.lines:
            self._watcher.line(line)
        self._watcher.begin(files=len(seen.wanted), size=sum(file.size for file in seen.wanted))
        intake = Intake(self._site, self._request, folder, namespace, self._types, self._labels, seen)
        for phase in import_order(seen.wanted):
            self._waiting.extend(phase)
            done = await asyncio.gather(*(self._work(intake, namespace.id) for _ in range(self._jobs)), return_exceptions=True)
            for one in done:
                if isinstance(one, BaseException):
                    raise one

    async def _work(self, intake: Intake, namespace_id: int) -> None:
        """Take files until there are none; a trouble that is no file's own ends the other workers too."""
        try:
            while not self.stopped and (item := await self._next(namespace_id)) is not None:
                file, present = item
                self._watcher.line(await self._patiently(lambda: intake.take(file, present)))  # noqa: B023 (awaited in this turn)
        except Stopped:
            return
        except BaseException:  # a cancelled worker stops the others too
            self.stop()
            raise

    async def _next(self, namespace_id: int) -> tuple[FoundFile, list[PresentFile]] | None:
        """The next file, with what may be it in the namespace; that is looked up for many at once."""
        async with self._refilling:
            if not self._ready and self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                types = [package_type.name for package_type in self._types]
                present = await self._patiently(lambda: present_files(namespace_id, types, batch))
                self._ready.extend((file, present[file.path]) for file in batch)
            return self._ready.popleft() if self._ready else None

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something, again and again for a while where the server cannot take it just now. Raises Unavailable, Stopped."""
        for pause in self._request.patience:
            try:
                return await work()
            except Unavailable as error:
                if self.stopped:
                    raise Stopped from error
                self._watcher.waiting(error.message)
                await self._pause(pause)
        return await work()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
        raise Stopped
