"""What became of each file of an imported folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    """Published now; in a dry run: it would be."""
    PRESENT = "already there"
    """These bytes were published under this path before."""
    SKIPPED = "skipped"
    """No package, or not asked for."""
    REFUSED = "refused"


class Why(StrEnum):
    """Why a file was skipped or refused, as people read it above a list of such files."""

    COMPANION = "indexes, signatures and sidecars"
    HIDDEN = "hidden"
    EXCLUDED = "excluded"
    STRANGER = "no packages"
    OTHER_TYPE = "packages of another type"
    OWN_DATA = "the server's own data"
    LINK = "links to folders"
    REMOVED = "taken off their index"
    CONFLICT = "other bytes are published under their path"
    DIGEST = "not the bytes that their index lists"
    PLACE = "in the wrong place"
    UNREADABLE = "cannot be read safely"
    INVALID = "not acceptable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One file, in the report."""

    file: str
    """Its path in the folder; bytes that are no UTF-8 are written as `\\xff`."""
    outcome: Outcome
    why: Why | None = None
    reason: str = ""
    """A sentence, for what was skipped or refused."""
    notes: Sequence[str] = ()
    """Sentences on what the folder says of it and the import has not kept."""
    type: str = ""
    path: str = ""
    """The file's path in the namespace, where it is known."""
    sha256: str = ""
    size: int = 0
    labels: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The line for a report that programs read; without what is empty."""
        whole = {name: getattr(self, name) for name in ("file", "outcome", "why", "reason", "notes", "type", "path", "sha256", "size", "labels")}
        return {name: list(value) if isinstance(value, list | tuple) else value for name, value in whole.items() if value}


def shown(path: str) -> str:
    """A path of the file system's, for people and JSON."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@dataclass(slots=True)
class Tally:
    """How many lines there are of each kind, and the first few of those that a person should see."""

    shown_lines: int = 10
    files: Counter[Outcome] = field(default_factory=Counter)
    size: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[tuple[Outcome, Why]] = field(default_factory=Counter)
    examples: dict[tuple[Outcome, Why], list[Line]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    noted: dict[str, list[str]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Count a line."""
        self.files[line.outcome] += 1
        self.size[line.outcome] += line.size
        if line.why is not None:
            kind = (line.outcome, line.why)
            self.reasons[kind] += 1
            if self.reasons[kind] <= self.shown_lines:
                self.examples.setdefault(kind, []).append(line)
        for note in line.notes:
            self.notes[note] += 1
            if self.notes[note] <= self.shown_lines:
                self.noted.setdefault(note, []).append(line.file)

    def as_json(self) -> Mapping[str, Any]:
        """The counts, for the end of a report that programs read."""
        return {str(outcome): self.files[outcome] for outcome in Outcome}
