"""A small blob as one string."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from entrepot.errors import NotFound

if TYPE_CHECKING:
    from entrepot.storage import Storage


async def body_of(storage: Storage, sha256: str, size: int) -> bytes | None:
    """The bytes; None where they are lost. Raises Unavailable."""
    try:
        async with aclosing(storage.chunks(sha256, 0, size)) as chunks:
            body = b"".join([chunk async for chunk in chunks])
    except (NotFound, OSError):
        return None
    return body if len(body) == size else None
