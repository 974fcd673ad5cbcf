"""Looks twice a second at how this process does: what its caches hold, what waits, how late the event loop is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from entrepot.db.sql import writes
from entrepot.metrics import CACHE_BYTES, CACHE_READS, LAG, LOOKUPS, QUEUE

if TYPE_CHECKING:
    from entrepot.counters import Counter
    from entrepot.site import Site

EVERY = 0.5


class Pulse:
    """The numbers that are not counted as they happen, but looked at from time to time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seen: dict[tuple[str, ...], int] = {}

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Look again and again."""
        task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.look()

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY
            await asyncio.sleep(EVERY)
            LAG.observe(max(0.0, loop.time() - due))
            self.look()

    def look(self) -> None:
        """Look once."""
        for name, cache in self._site.caches.items():
            CACHE_BYTES.set(cache.size, name)
            self._count(CACHE_READS, (name, "hit"), cache.hits)
            self._count(CACHE_READS, (name, "miss"), cache.misses)
        self._count(LOOKUPS, ("asked",), self._site.lookup.asked)
        self._count(LOOKUPS, ("remembered",), self._site.lookup.remembered)
        QUEUE.set(writes.under_way, "writes")
        QUEUE.set(self._site.indexes.under_way, "renderings")

    def _count(self, counter: Counter, labels: tuple[str, ...], total: int) -> None:
        """What came since the last look; many sites may run in one process, and each counts its own."""
        key = (counter.name, *labels)
        counter.add(*labels, by=total - self._seen.get(key, 0))
        self._seen[key] = total
