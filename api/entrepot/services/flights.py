"""Single flight: work that several requests want at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Flights(Generic[V]):
    """Work under way, by key. A waiter that is cancelled does not stop the work for the others."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._under_way

    async def join(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The result of the work of this key, which is started if it is not under way. It may have started before the call, but not ended.

        A caller that asks again until the result is new enough relies on that: what has ended, and only waits for `_land`, would answer at once and
        the event loop would never come to landing it.
        """
        task = self._under_way.get(key)
        if task is None or task.done():
            task = asyncio.create_task(start())
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    def _land(self, key: Hashable, task: asyncio.Task[V]) -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]
        if not task.cancelled():
            task.exception()  # seen, though every waiter may be gone
