"""What is said of a project as a whole (PEP 792): that it is active, archived, deprecated, or in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry
from entrepot.plugin import Conflict, StoredFile, ValidationError

from entrepot_pypi.page import project_status

key = "project-status"
longest_reason = 1000


@strawberry.enum(description="What is said of a project as a whole (PEP 792).")
class PypiProjectStatus(Enum):
    """The statuses that an index may have."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="Nothing in particular.")
    ARCHIVED = strawberry.enum_value("ARCHIVED", description="No update is expected: its files stay, and no new ones are taken.")
    QUARANTINED = strawberry.enum_value(
        "QUARANTINED",
        description="It may be harmful: the index does not offer it, and no new files are taken. Who has a file's URL can still get it.",
    )
    DEPRECATED = strawberry.enum_value(
        "DEPRECATED", description="It is obsolete, and another one perhaps takes its place. Its files stay, and may be added to."
    )

    @property
    def spelled(self) -> str:
        """As the index has it."""
        return self.name.lower()


def status_of(state: Mapping[str, Any]) -> tuple[PypiProjectStatus, str]:
    """What was said of a project, and why."""
    status, reason = project_status(state)
    return PypiProjectStatus[status.upper()], reason


def check_open(file: StoredFile) -> None:
    """Raises Conflict for a new file of a project that takes none."""
    status, reason = project_status(file.package_state)
    if status in ("archived", "quarantined"):
        why = f" ({reason})" if reason else ""
        raise Conflict(
            f"The project {file.name} is {status}{why} and takes no new files. Whoever administers the package can set its status to active."
        )


def checked_reason(reason: str | None) -> str:
    """A reason for people, on as many lines as they like. Raises ValidationError."""
    text = (reason or "").strip()
    if len(text) > longest_reason:
        raise ValidationError(f"The reason has {len(text):,} characters; {longest_reason:,} is the most.", field="reason")
    return text
