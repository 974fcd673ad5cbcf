"""The time as the database stores it, and spans of time as people write them."""

from __future__ import annotations

import re
import time
from datetime import timedelta

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}


def now() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def span_of(text: str) -> timedelta | None:
    """`90m`, `12h`, `30d`, `2w`, `1y`; None for what is no span of time. The longest is about a million years."""
    match = re.fullmatch(r"([0-9]{1,6})([mhdwy])", text.strip().lower())
    return None if match is None else int(match[1]) * UNITS[match[2]]
