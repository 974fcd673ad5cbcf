"""Sites with so many conda packages, filled when they are first asked for."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from bench.server import Site, site


class Stocks:
    """By the number of packages: the parts of the bench share them, for the large ones take a while."""

    def __init__(self) -> None:
        self._sites: dict[int, Site] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def of(self, count: int) -> Site:
        """The site; it may have some more by now, which earlier parts have published."""
        if count not in self._sites:
            self._sites[count] = self._stack.enter_context(site())
            self._sites[count].stock(count)
        return self._sites[count]
