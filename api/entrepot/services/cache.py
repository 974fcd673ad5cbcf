"""A cache bounded in bytes: the least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class ByteCache(Generic[V]):
    """Values with a cost in bytes. A value that costs more than the whole bound is not kept."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._held: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self.size = 0
        """The bytes held."""
        self.hits = self.misses = 0
        """How often what was asked for was there, and was not."""

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> V | None:
        """The value, freshly used, or None."""
        found = self._held.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._held.move_to_end(key)
        return found[0]

    def takes(self, cost: int) -> bool:
        """Whether a value of this cost would be kept at all."""
        return cost <= self._bound

    def put(self, key: Hashable, value: V, cost: int) -> None:
        """Keep a value, or give a kept one a new cost."""
        self.drop(key)
        if cost > self._bound:
            return
        self._held[key] = (value, cost)
        self.size += cost
        while self.size > self._bound:
            _, (_, freed) = self._held.popitem(last=False)
            self.size -= freed

    def drop(self, key: Hashable) -> None:
        """Forget a value."""
        found = self._held.pop(key, None)
        if found is not None:
            self.size -= found[1]
