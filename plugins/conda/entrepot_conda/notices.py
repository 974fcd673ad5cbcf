"""`notices.json`: what conda tells whoever installs from the channel (CEP 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from entrepot.plugin import Notice

_day = 86_400_000


def notices_json(notices: Sequence[Notice], now: int) -> bytes:
    """The document; `now` in milliseconds.

    conda keeps what it has read until one of the notices in it expires. So each is said to expire tomorrow at the latest, or whoever has read a
    notice of a month would hear of no other for as long. `expired_at` is what conda calls that field; CEP 6 calls it `expires_at`.
    """
    tomorrow = (now // _day + 2) * _day
    told = []
    for notice in notices:
        expires_at = _iso(min(notice.expires_at, tomorrow))
        times = {"created_at": _iso(notice.created_at), "expires_at": expires_at, "expired_at": expires_at}
        told.append({"id": notice.id, "message": notice.message, "level": notice.level, **times})
    return orjson.dumps({"notices": told})


def _iso(milliseconds: int) -> str:
    """With an offset in digits: Python before 3.11, which conda may run on, does not read a `Z`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
