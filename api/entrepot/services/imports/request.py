"""What is to be imported, and who hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from entrepot.services import audit

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.services.imports.outcomes import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be imported, and how."""

    folder: Path
    namespace: str
    labels: Sequence[str] = ()
    """Instead of `main`, for files that lie in no label's folder."""
    types: Sequence[str] = ()
    """Only these; empty: all."""
    exclude: Sequence[str] = ()
    """Patterns of names or paths."""
    private: bool = False
    """New packages are private."""
    dry_run: bool = False
    """Inspect everything, publish nothing."""
    jobs: int | None = None
    """Files that are taken at the same time; None: one for each processor, and two at least."""
    patience: Sequence[float] = (0.2, 1.0, 3.0, 10.0, 20.0)
    """Seconds between the tries of a file while the database or the storage cannot take it."""
    actor: Actor = audit.OPERATOR


class Watcher(Protocol):
    """Hears of an import while it runs."""

    def begin(self, *, files: int, size: int) -> None:
        """The folder has been looked through: so many files, of so many bytes, will be looked into."""

    def line(self, line: Line) -> None:
        """What became of a file; of those that `begin` counted, and of those that need not be looked into."""

    def waiting(self, sentence: str) -> None:
        """A part of the server is busy or away, and the import waits for it."""
