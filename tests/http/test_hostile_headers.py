"""Requests whose line and headers are made to cost memory or time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from entrepot.http.conditions import asked_range
from entrepot.http.protocol import LARGEST_HEAD, BoundedProtocol
from raw_http import ask
from starlette.requests import Request
from starlette.responses import Response


async def told(scope: object, receive: object, send: object) -> None:
    """An application that says how long the body was."""
    request = Request(scope, receive)  # type: ignore[arg-type]
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    await Response(str(size))(scope, receive, send)  # type: ignore[arg-type]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where a server with our protocol listens."""
    config = uvicorn.Config(told, port=0, http=BoundedProtocol, lifespan="off", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * (LARGEST_HEAD + 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (LARGEST_HEAD + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: aaaa\r\n" * (LARGEST_HEAD // 4) + b"\r\n",
    ],
    ids=["line", "header", "headers"],
)
async def test_a_head_that_is_too_long_is_refused(port: int, request_: bytes) -> None:
    assert (await asyncio.to_thread(ask, port, request_)).status == 431


async def test_a_head_that_never_ends_is_cut_off(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    sent = 0
    try:
        while sent < 64 << 20:
            writer.write(b"a" * 65536)
            await writer.drain()
            sent += 65536
        await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert sent < 64 << 20


async def test_long_heads_in_pieces_and_bodies_of_any_length_are_fine(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"b" * (4 * LARGEST_HEAD)
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nX: %s\r\nContent-Length: %d\r\n\r\n" % (b"x" * (LARGEST_HEAD // 2), len(body))
    for _ in range(2):
        writer.write(head[:1000])
        await writer.drain()
        writer.write(head[1000:] + body)
    for _ in range(2):
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(len(str(len(body)))) == str(len(body)).encode()
    writer.close()


@pytest.mark.parametrize("spaces", ["bytes={}x", "bytes=1-{}x", "bytes{}x", "bytes=1{}x"])
def test_a_range_of_spaces_is_read_at_once(spaces: str) -> None:
    began = time.process_time()
    assert asked_range(spaces.format(" " * 60_000), "", '"a"', 10) is None
    assert time.process_time() - began < 1


def test_a_range_may_hold_spaces() -> None:
    assert asked_range("bytes = 1 - 2 ", "", '"a"', 10) == (1, 3)
