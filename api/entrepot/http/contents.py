"""Bytes to answer with, and how: 200, 206, 304, 416, HEAD. The messages that do not depend on the request are made once per content."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, BinaryIO

from entrepot.errors import EntrepotError, NotFound
from entrepot.http.conditions import Unsatisfiable, asked_range, none_match

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from entrepot.http.request import Facts
    from entrepot.storage import Storage

log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]
READ_AT_ONCE = 1 << 20
SENT_WHOLE = 1 << 20
"""A body up to this size is one message; a larger one is sent in pieces, as fast as the client takes them."""
EMPTY = {"type": "http.response.body", "body": b""}


class Content:
    """Bytes with headers and a strong ETag; `body` is set where they are at hand as one string."""

    __slots__ = ("_kept", "body", "etag", "headers", "not_modified", "size", "start", "whole")

    def __init__(self, headers: list[Header], etag: str, size: int, body: bytes | None = None) -> None:
        self.etag = f'"{etag}"'
        self.size = size
        self.body = body
        self.headers = [*headers, (b"etag", self.etag.encode()), (b"accept-ranges", b"bytes")]
        self.start = {"type": "http.response.start", "status": 200, "headers": [*self.headers, (b"content-length", str(size).encode())]}
        self.whole = {"type": "http.response.body", "body": body}
        self._kept = [(name, value) for name, value in self.headers if name not in (b"content-type", b"content-encoding", b"content-disposition")]
        self.not_modified = {"type": "http.response.start", "status": 304, "headers": self._kept}

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes from start to stop."""
        assert self.body is not None
        yield self.body[start:stop]

    async def send(self, facts: Facts, method: str, send: Send) -> None:
        """Answer a GET or HEAD; a Range counts for GET alone (RFC 9110 §14.2). Raises EntrepotError, and then no part of the answer was sent."""
        if facts.if_none_match and none_match(facts.if_none_match, self.etag):
            await send(self.not_modified)
            await send(EMPTY)
        elif method == "HEAD":
            await send(self.start)
            await send(EMPTY)
        elif facts.range:
            await self._send_range(facts, send)
        elif self.body is not None:
            await send(self.start)
            await send(self.whole)
        else:
            await self._send_chunks(self.start, 0, self.size, send)

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

    async def _send_chunks(self, message: dict[str, Any], start: int, stop: int, send: Send) -> None:
        async with aclosing(self.chunks(start, stop)) as chunks:
            chunk = await anext(chunks, b"")  # before the answer begins: bytes that are not there are an error, not half an answer
            await send(message)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send(EMPTY)


class PiecesContent(Content):
    """Bytes that are kept in pieces."""

    __slots__ = ("_pieces",)

    def __init__(self, headers: list[Header], etag: str, size: int, pieces: tuple[bytes, ...]) -> None:
        super().__init__(headers, etag, size)
        self._pieces = pieces

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """See Content."""
        for chunk in _gathered(self._pieces, start, stop):
            yield chunk


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
        file = await asyncio.to_thread(self._opened, start)
        try:
            while start < stop:
                chunk = await asyncio.to_thread(file.read, min(READ_AT_ONCE, stop - start))
                if not chunk:
                    raise OSError(f"The stored blob {self._sha256} is shorter than its row says; run `entrepot check`.")
                start += len(chunk)
                yield chunk
        finally:
            file.close()

    def _opened(self, start: int) -> BinaryIO:
        try:
            file = self._storage.open(self._sha256)
        except (OSError, NotFound) as error:
            log.exception("The stored blob %s cannot be opened.", self._sha256)
            raise EntrepotError("The server cannot read this file just now. Its log says why; try again, and tell the operator.") from error
        file.seek(start)
        return file


class Answer:
    """A content as an ASGI response, for routes."""

    def __init__(self, content: Content, facts: Facts) -> None:
        self._content = content
        self._facts = facts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._content.send(self._facts, scope["method"], send)
