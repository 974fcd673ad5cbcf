"""An answer that comes before the request's body was read: sent at once, then the connection is closed without cutting the answer off.

A server that answers 401 to an upload and goes on reading takes in gigabytes for nothing; one that closes at once resets the connection while the
client is still writing, and the client never sees why. So the answer goes out whole, what still arrives is thrown away for a moment, then it ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_SECONDS = 2.0
LINGER_BYTES = 64 << 20
SILENCE_SECONDS = 120.0
"""A client that sends nothing of its body for so long is taken to be gone: it would hold its spool for ever."""


class Lingering:
    """ASGI middleware around the routes that take bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch whether the body was read to its end before the answer is."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        unread = True

        async def watched_receive() -> Message:
            nonlocal unread
            message = await (_heard(receive) if unread else receive())
            if message["type"] == "http.request":
                unread = bool(message.get("more_body"))
            return message

        async def lingering_send(message: Message) -> None:
            if message["type"] == "http.response.start" and unread:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            elif message["type"] == "http.response.body" and unread and not message.get("more_body"):
                await send({**message, "more_body": True})
                await _drain(watched_receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, watched_receive, lingering_send)


async def _heard(receive: Receive) -> Message:
    """The next of the body; a disconnect where the client is silent."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await receive()
    except TimeoutError:
        return {"type": "http.disconnect"}


def _has_body(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in scope["headers"])


async def _drain(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return
