"""What was asked of a server, from its own access log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
from entrepot_process import eventually

LINE = re.compile(r" event=request method=(\S+) path=(\S+) status=(\d+) ")


class Asked(NamedTuple):
    """A request, and how it was answered."""

    method: str
    path: str
    status: int


class AccessLog:
    """The log of a server with one worker, whose lines stand in the order of the answers."""

    def __init__(self, file: Path, url: str) -> None:
        self.file, self.url = file, url

    @contextmanager
    def watching(self) -> Iterator[list[Asked]]:
        """What is asked within the block: the list is filled behind it."""
        asked: list[Asked] = []
        begin = self._mark()
        yield asked
        end = self._mark()
        eventually(lambda: end in self.file.read_text())
        lines = [Asked(method, path, int(status)) for method, path, status in LINE.findall(self.file.read_text())]
        paths = [line.path for line in lines]
        asked.extend(lines[paths.index(begin) + 1 : paths.index(end)])

    def _mark(self) -> str:
        """A request that nobody else makes."""
        path = f"/{uuid4()}"
        httpx.get(f"{self.url}{path}")
        return path
