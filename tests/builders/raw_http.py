"""HTTP by hand, for requests that no client library would send."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def connected(port: int) -> Iterator[tuple[socket.socket, BinaryIO]]:
    """A connection to a server of this machine, with a way to read from it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, connection.makefile("rb") as answers:
        yield connection, answers


def head(method: str, target: str, **headers: str) -> bytes:
    """The head of a request, the target as it is; an underscore in a header's name is a dash."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def read_answer(answers: BinaryIO) -> Answer:
    """The next answer, which must say how long it is."""
    status = int(answers.readline().split()[1])
    headers = {}
    while line := answers.readline().strip():
        name, _, value = line.decode("latin-1").partition(": ")
        headers[name.lower()] = value
    return Answer(status, headers, answers.read(int(headers["content-length"])))


def ask(port: int, request: bytes) -> Answer:
    """Send a request and read its answer."""
    with connected(port) as (connection, answers):
        connection.sendall(request)
        return read_answer(answers)


def peak_of(process: int) -> int:
    """The most memory that a process has used since `forget_peak`, in bytes."""
    [line] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) << 10


def forget_peak(process: int) -> int:
    """Begin to watch the memory of a process; answers what it uses now."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return peak_of(process)
