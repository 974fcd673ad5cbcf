"""Proving that the database and the storage belong together. Reads only, and takes nothing for wrong that a running server is just changing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from entrepot.services.blobchecks import check_bytes, check_references, check_storage
from entrepot.services.entrychecks import check_entries, check_heads

if TYPE_CHECKING:
    from entrepot.registry import Registry
    from entrepot.storage import Storage


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and what to do about it."""

    subject: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.wrong} {self.remedy}"


@dataclass(slots=True)
class Report:
    """What a check found."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is not wrong but worth knowing."""
    files: int = 0
    blobs: int = 0

    def problem(self, subject: str, wrong: str, remedy: str) -> None:
        """Add a problem; `wrong` and `remedy` are sentences."""
        self.problems.append(Problem(subject, wrong, remedy))


async def check(storage: Storage, registry: Registry) -> Report:
    """Look at every file, extra, blob, entry and head. Needs memory for one page of rows and one piece of a blob, however many there are.

    Raises Unavailable, SettingsError where the storage is not there at all: then no file is to blame.
    """
    await asyncio.to_thread(storage.probe)
    report = Report()
    await check_references(report)
    await check_bytes(storage, report)
    await check_storage(storage, report)
    await check_entries(registry, report)
    await check_heads(report)
    return report
