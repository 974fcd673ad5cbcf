"""Work that must not be left half-done when whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

import anyio

T = TypeVar("T")


async def to_the_end(work: Awaitable[T]) -> T:
    """Await something that must not be left half-done, however often the waiter is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):  # anyio would cancel again in every turn of the loop
            while not task.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen: cancellation is what the waiter hears of
        raise
    return task.result()
