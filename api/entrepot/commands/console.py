"""What commands say to people: on standard error, for standard output belongs to scripts."""

from __future__ import annotations

from datetime import UTC, datetime


def fail(message: str) -> int:
    """Print one red sentence on standard error; answers the exit code."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(message, style="red", markup=False, soft_wrap=True)
    return 1


def note(message: str) -> None:
    """Tell a person something without touching standard output."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)


def when(at: int | None, never: str = "never") -> str:
    """A time of the database's, for people: in UTC, to the minute."""
    return never if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
