"""Bytes to answer with, and how: 200, 206, 304, 416, HEAD. The messages that do not depend on the request are made once per content."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from entrepot.errors import EntrepotError, NotFound
from entrepot.http.conditions import Unsatisfiable, asked_range, none_match

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from entrepot.http.request import Facts
    from entrepot.storage import Storage

log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]
SENT_WHOLE = 1 << 20
"""A body up to this size is one message; a larger one is sent in pieces, as fast as the client takes them."""
EMPTY = {"type": "http.response.body", "body": b""}
OF_UNCHANGED = (b"etag", b"cache-control", b"vary", b"access-control-allow-origin", b"referrer-policy")
"""The headers of a 304: what RFC 9110 §15.4.5 asks for, and what browsers look at before they take the answer from their cache."""
UNREADABLE = "The server cannot read this file just now. Its log says why; try again, and tell the operator."
LOST = "The server's copy of this file is lost or damaged. Tell the operator to run `entrepot check`."


class BrokenOff(Exception):
    """The bytes ended in the middle of an answer: all that is left is to break the connection, so that nobody takes them for the whole."""


class Content:
    """Bytes with headers and a strong ETag; `body` is set where they are at hand as one string."""

    __slots__ = ("_kept", "body", "etag", "headers", "not_modified", "size", "start", "whole")

    def __init__(self, headers: list[Header], etag: str, size: int, body: bytes | None = None, *, moving: bytes = b"") -> None:
        """`moving`: the name of a header that may change while the bytes stay the same, so that a 304 brings it too."""
        self.etag = f'"{etag}"'
        self.size = size
        self.body = body
        self.headers = [*headers, (b"etag", self.etag.encode()), (b"accept-ranges", b"bytes")]
        self.start = {"type": "http.response.start", "status": 200, "headers": [*self.headers, (b"content-length", str(size).encode())]}
        self.whole = {"type": "http.response.body", "body": body}
        self._kept = [(name, value) for name, value in self.headers if name not in (b"content-type", b"content-encoding", b"content-disposition")]
        self.not_modified = {
            "type": "http.response.start",
            "status": 304,
            "headers": [one for one in self._kept if one[0] in (*OF_UNCHANGED, moving)],
        }

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes from start to stop."""
        assert self.body is not None
        yield self.body[start:stop]

    async def send(self, facts: Facts, method: str, send: Send) -> None:
        """Answer a GET or HEAD; a Range counts for GET alone (RFC 9110 §14.2). Raises EntrepotError, and then no part of the answer was sent.

        Whoever got the bytes from the first on is counted as a download, if the request is for something that is.
        """
        made = self.made(facts, method)
        if made is None:
            await self._send_bytes(facts, send)
        else:
            start, body = made
            await send(start)
            await send(body)
            if facts.given and body is self.whole:
                facts.given()

    def made(self, facts: Facts, method: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The two messages of the answer, where both were made beforehand."""
        if facts.if_none_match and none_match(facts.if_none_match, self.etag):
            return self.not_modified, EMPTY
        if method == "HEAD":
            return self.start, EMPTY
        return None if self.body is None or facts.range else (self.start, self.whole)

    async def _send_bytes(self, facts: Facts, send: Send) -> None:
        """Answer a GET of somebody who does not have the bytes yet."""
        if facts.range:
            await self._send_range(facts, send)
            return
        await self._send_chunks(self.start, 0, self.size, send)
        if facts.given:
            facts.given()

    async def _send_range(self, facts: Facts, send: Send) -> None:
        try:
            wanted = asked_range(facts.range, facts.if_range, self.etag, self.size)
        except Unsatisfiable:
            kept = [(name, value) for name, value in self._kept if name != b"cache-control"]
            headers = [(b"cache-control", b"no-store"), (b"content-range", f"bytes */{self.size}".encode()), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 416, "headers": [*kept, *headers]})
            await send(EMPTY)
            return
        start, stop = wanted or (0, self.size)
        message: dict[str, Any] = self.start
        if wanted is not None:
            partial = [(b"content-range", f"bytes {start}-{stop - 1}/{self.size}".encode()), (b"content-length", str(stop - start).encode())]
            message = {"type": "http.response.start", "status": 206, "headers": [*self.headers, *partial]}
        await self._send_chunks(message, start, stop, send)
        if facts.given and start == 0:
            facts.given()

    async def _send_chunks(self, message: dict[str, Any], start: int, stop: int, send: Send) -> None:
        async with aclosing(self.chunks(start, stop)) as chunks:
            chunk = await anext(chunks, b"")  # before the answer begins: bytes that are not there are an error, not half an answer
            await send(message)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            try:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except EntrepotError as error:
                raise BrokenOff(error.message) from error
        await send(EMPTY)


class PiecesContent(Content):
    """Bytes that are kept in pieces."""

    __slots__ = ("_pieces",)

    def __init__(self, headers: list[Header], etag: str, size: int, pieces: tuple[bytes, ...], *, moving: bytes = b"") -> None:
        super().__init__(headers, etag, size, moving=moving)
        self._pieces = pieces

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """See Content. Between chunks others have their turn: the kernel may take many MiB before it makes anybody wait."""
        for chunk in _gathered(self._pieces, start, stop):
            yield chunk
            await asyncio.sleep(0)


def _gathered(pieces: tuple[bytes, ...], start: int, stop: int, at_once: int = 256 << 10) -> Iterator[bytes]:
    """The bytes from start to stop, small pieces joined and large ones cut into chunks that are worth a message each."""
    held: list[memoryview] = []
    size = at = 0
    for piece in pieces:
        for cut in range(max(0, start - at), min(len(piece), stop - at), at_once):
            some = memoryview(piece)[cut : min(cut + at_once, stop - at)]
            held.append(some)
            size += len(some)
            if size >= at_once:
                yield b"".join(held)
                held, size = [], 0
        at += len(piece)
        if at >= stop:
            break
    if held:
        yield b"".join(held)


class BlobContent(Content):
    """A stored blob that is read as it is sent."""

    __slots__ = ("_sha256", "_storage")

    def __init__(self, headers: list[Header], sha256: str, size: int, storage: Storage) -> None:
        super().__init__(headers, sha256, size)
        self._sha256 = sha256
        self._storage = storage

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """See Content."""
        try:
            async with aclosing(self._storage.chunks(self._sha256, start, stop)) as chunks:
                async for chunk in chunks:
                    start += len(chunk)
                    yield chunk
        except (OSError, NotFound) as error:
            log.exception("The stored blob %s cannot be read.", self._sha256)
            raise EntrepotError(UNREADABLE) from error
        if start < stop:
            log.error("The stored blob %s is shorter than its row says; run `entrepot check`.", self._sha256)
            raise EntrepotError(LOST)

    def _count(self, facts: Facts) -> None:
        """Where somebody else sends the bytes: that they will be sent from the first on is what was asked for."""
        if facts.given is None:
            return
        with suppress(Unsatisfiable):
            start, _ = asked_range(facts.range, "", self.etag, self.size) or (0, 0)
            if start == 0:
                facts.given()


class LinkedContent(BlobContent):
    """A blob to which clients are sent by a link: the object store answers ranges, and whatever else is asked of the bytes."""

    __slots__ = ("_link",)

    def __init__(self, headers: list[Header], sha256: str, size: int, storage: Storage, link: Callable[[], Awaitable[str]]) -> None:
        super().__init__(headers, sha256, size, storage)
        self._link = link

    async def _send_bytes(self, facts: Facts, send: Send) -> None:
        location = await self._link()
        headers = [
            (b"location", location.encode()),
            (b"content-length", b"0"),
            (b"cache-control", b"private, no-store"),  # it is good for a minute, and for whoever may read the file
            (b"referrer-policy", b"no-referrer"),  # the URL that leads here may hold a token
            *(one for one in self.headers if one[0] == b"access-control-allow-origin"),
        ]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send(EMPTY)
        self._count(facts)


class HandedContent(BlobContent):
    """A blob that nginx sends from its folder, as a location of its own tells it; the headers are ours, ranges its business."""

    __slots__ = ("_location",)

    def __init__(self, headers: list[Header], sha256: str, size: int, storage: Storage, location: str) -> None:
        super().__init__(headers, sha256, size, storage)
        self._location = location

    async def _send_bytes(self, facts: Facts, send: Send) -> None:
        ours = [one for one in self.headers if one[0] != b"accept-ranges"]  # nginx says that it answers ranges, and would say it twice
        headers = [*ours, (b"x-accel-redirect", self._location.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(EMPTY)
        self._count(facts)


class Answer:
    """A content as an ASGI response, for routes."""

    def __init__(self, content: Content, facts: Facts) -> None:
        self._content = content
        self._facts = facts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._content.send(self._facts, scope["method"], send)
