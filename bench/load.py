"""A load generator: HTTP/1.1 on kept connections, one request in flight on each.

One generator serves both sides of every ratio. It knows just enough HTTP to tell where an answer ends, so that it leaves the server a core.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

content_length = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
closing = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
chunked = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
LAST_CHUNK = b"\r\n0\r\n\r\n"
"""How a chunked body ends; one of text has it nowhere else."""


@dataclass(slots=True)
class Outcome:
    """What a run of requests came to."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Answers of any status."""
        return self.statuses.total()

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.count / self.seconds

    def expect(self, status: int) -> Outcome:
        """Itself, if every answer had this status: a rate of errors is no rate."""
        if self.failures or set(self.statuses) != {status}:
            raise SystemExit(f"Expected only {status}, got {dict(self.statuses)} {self.failures[:3]}")
        return self


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"", size: int | None = None) -> bytes:
    """A request as it goes over the wire; `size` is that of a body that follows by other means."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body) if size is None else size}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(port: int, requests: Iterable[bytes], *, connections: int) -> Outcome:
    """Send each request once, over so many connections."""
    return uvloop.run(drive(port, iter(requests), connections))


def repeat(port: int, requests: Iterable[bytes], *, connections: int, seconds: float) -> Outcome:
    """Send the requests over and over for so long."""
    return uvloop.run(drive(port, over(seconds, requests), connections))


def over(seconds: float, requests: Iterable[bytes]) -> Iterator[bytes]:
    """The requests over and over, for so long from when the first is taken."""
    deadline = time.perf_counter() + seconds
    for each in cycle(requests):
        if time.perf_counter() >= deadline:
            return
        yield each


async def drive(port: int, requests: Iterator[bytes], connections: int) -> Outcome:
    """Open the connections, then let each take the next request whenever it is idle."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Connection(requests, outcome, port), "127.0.0.1", port) for _ in range(connections)]
    began = time.perf_counter()
    for _, connection in opened:
        connection.next()
    await asyncio.gather(*(connection.done for _, connection in opened))
    outcome.seconds = time.perf_counter() - began
    return outcome


class Connection(asyncio.Protocol):
    """One connection: writes a request, reads its answer, writes the next; over another one where the server closes it behind each answer."""

    def __init__(self, requests: Iterator[bytes], outcome: Outcome, port: int) -> None:
        self.requests, self.outcome, self.port = requests, outcome, port
        self.closes = False
        """Whether the server has said that it closes."""
        self.reopening: asyncio.Task[None] | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.head = b""
        self.missing = 0
        self.reading_body = False
        self.tail: bytes | None = None
        """The last bytes of a chunked answer, while one is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (uvloop's own, which only quacks like a WriteTransport)."""
        self.transport = cast(asyncio.WriteTransport, transport)

    def next(self) -> None:
        """Send the next request, or end."""
        following = next(self.requests, None)
        if following is None:
            self.transport.close()
        else:
            self.transport.write(following)

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        if not self.reading_body:
            data = self.head + data if self.head else data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.head = data
                return
            self.head = b""
            self.missing = self.open(data[:end]) + end + 4
            self.reading_body = True
        self.missing -= len(data)
        if self.tail is not None:
            self.tail = (self.tail + data)[-len(LAST_CHUNK) :]
            self.missing = int(self.tail != LAST_CHUNK)
        if self.missing <= 0:
            self.reading_body, self.tail = False, None
            if self.closes:
                self.transport.close()
            else:
                self.next()

    def open(self, head: bytes) -> int:
        """Count an answer by its status; how long its body is."""
        status = int(head[9:12])
        self.outcome.statuses[status] += 1
        self.closes = closing.search(head) is not None
        if status == 304:
            return 0
        length = content_length.search(head)
        if length is None and chunked.search(head):
            self.tail = b""
            return 0
        if length is None:
            self.outcome.failures.append(f"no Content-Length: {head[:200]!r}")
            self.closes = False
            self.transport.close()
            return 0
        return int(length[1])

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a connection that the server closed in the middle is a failure."""
        if exc or self.reading_body or self.head:
            self.outcome.failures.append(f"connection lost: {exc}")
        elif self.closes:
            self.reopening = asyncio.get_running_loop().create_task(self.reopen())
        if self.reopening is None and not self.done.done():
            self.done.set_result(None)

    async def reopen(self) -> None:
        """Go on over a new connection."""
        self.closes = False
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
        except OSError as error:
            self.outcome.failures.append(f"connection lost: {error}")
            self.done.set_result(None)
        else:
            self.reopening = None
            self.next()


def send_file(port: int, head: bytes, path: Path, status: int) -> float:
    """Send a request whose body is a file, over a connection of its own; answers the seconds until the answer came."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection, path.open("rb") as body:
        connection.sendall(head)
        connection.sendfile(body)
        answer = connection.recv(65536)
    seconds = time.perf_counter() - began
    if not answer.startswith(f"HTTP/1.1 {status} ".encode()):
        raise SystemExit(f"Expected {status}, got {answer[:600]!r}")
    return seconds


def receive(port: int, asked: bytes, size: int, times: int = 1) -> float:
    """Ask for a body of so many bytes, some times over one connection, and throw it away as it comes; answers the seconds it took."""
    buffer = memoryview(bytearray(1 << 20))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.perf_counter()
        for _ in range(times):
            connection.sendall(asked)
            receive_one(connection, buffer, size)
        return time.perf_counter() - began


def receive_one(connection: socket.socket, buffer: memoryview, size: int) -> None:
    """One answer, which must be 200 and of that size."""
    head = b""
    while b"\r\n\r\n" not in head:
        some = connection.recv(65536)
        if not some:
            break
        head += some
    head, _, body = head.partition(b"\r\n\r\n")
    length = content_length.search(head)
    if not head.startswith(b"HTTP/1.1 200 ") or length is None or int(length[1]) != size:
        raise SystemExit(f"Expected 200 and {size:,} bytes, got {head[:300]!r}")
    missing = size - len(body)
    while missing:
        count = connection.recv_into(buffer, min(missing, len(buffer)))
        if not count:
            raise SystemExit(f"The answer ended {missing:,} bytes early.")
        missing -= count
