"""Streams that refuse to grow beyond what a package may need. The readers of archives read through these."""

from __future__ import annotations

import time
from typing import Protocol

from entrepot.errors import InvalidPackage


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class Patience:
    """The CPU time that this thread may spend from now on. A few bytes of an archive can ask for minutes of it."""

    def __init__(self, seconds: float) -> None:
        self._until = time.thread_time() + seconds

    def check(self) -> None:
        """Raises InvalidPackage when it is spent."""
        if time.thread_time() > self._until:
            raise InvalidPackage("The archive takes more time to unpack than a package of its size should. Compress it with a usual program.")


class Inflated:
    """What a decompressor gives, up to a limit; `complaint` is what its passing means."""

    def __init__(self, source: Readable, limit: int, complaint: str, patience: Patience | None = None) -> None:
        self._source = source
        self._left = limit
        self._complaint = complaint
        self._patience = patience

    def read(self, size: int) -> bytes:
        """Raises InvalidPackage when the limit is passed, or patience ends."""
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidPackage(self._complaint)
        if self._patience:
            self._patience.check()
        return data
