"""All servers with so many files each, started and filled when they are first asked for; the parts of the section share them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from bench.nginx import nginx
from bench.pypi.rivals import Rival, devpi, entrepot, fill, pypiserver, simple_repository
from bench.server import BUILD, Entrepot, Process

STARTS: Sequence[Any] = (entrepot, pypiserver("simple-dir"), pypiserver("cached-dir"), devpi, simple_repository)


@dataclass(frozen=True, slots=True)
class Field:
    """The servers, ours first."""

    rivals: Sequence[Rival]
    static: Path
    """The folder of nginx."""
    nginx: Process | None
    """It, where this machine has it."""

    @property
    def ours(self) -> Rival:
        """Entrepot."""
        return self.rivals[0]


class Fields:
    """By the number of files."""

    def __init__(self) -> None:
        self._fields: dict[int, Field] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="bench-", dir=BUILD)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def of(self, count: int) -> Field:
        """The servers; they may have some more files by now, which earlier parts have uploaded."""
        if count not in self._fields:
            rivals = []
            for number, start in enumerate(STARTS):
                folder = self._folder / f"{count}-{number}"
                rival = self._stack.enter_context(start(folder))
                fill(rival, folder, count)
                rivals.append(rival)
            self._fields[count] = self._beside(rivals, self._folder / f"{count}-nginx")
        return self._fields[count]

    def _beside(self, rivals: Sequence[Rival], folder: Path) -> Field:
        static = folder / "static"
        static.mkdir(parents=True)
        server = rivals[0].process
        assert isinstance(server, Entrepot)
        alone = None
        if shutil.which("nginx"):
            alone, _ = self._stack.enter_context(nginx(folder, files=static, blobs=server.data / "blobs", behind=server))
        return Field(rivals, static, alone)
