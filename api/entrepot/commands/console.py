"""What commands say: to people on standard error, and what was asked for on standard output, which scripts read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def fail(message: str) -> int:
    """Print one red sentence on standard error; answers the exit code."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(message, style="red", markup=False, soft_wrap=True)
    return 1


def note(message: str) -> None:
    """Tell a person something without touching standard output."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people on standard output. Scripts ask for JSON."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*row)
    Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else 200).print(shown)


def as_json(objects: Sequence[Mapping[str, Any]]) -> None:
    """Print an array of objects on standard output."""
    import orjson

    print(orjson.dumps(list(objects), option=orjson.OPT_INDENT_2).decode(), flush=True)


def when(at: int | None, otherwise: str = "never") -> str:
    """A time of the database's, for people: in UTC, to the minute."""
    return otherwise if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def timestamp(at: int | None) -> str | None:
    """A time of the database's, for scripts: as RFC 3339 has it, in UTC."""
    return None if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
