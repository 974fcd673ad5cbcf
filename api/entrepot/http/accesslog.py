"""The access log: a line for each request, of the same form as the other lines. Written in batches, for a write costs more than a line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING

import orjson

from entrepot.log import CONTROL
from entrepot.redaction import redacted

if TYPE_CHECKING:
    from starlette.types import Scope

    from entrepot.http.exchange import Exchange

AT_ONCE = 4096
"""Bytes that a pipe takes as a whole: the workers share it, and their lines must not be mixed."""
HELD_BACK = 0.2
LONGEST = 1024


class AccessLog:
    """Gathers lines and writes them."""

    def __init__(self, format: str) -> None:
        self._line = json_line if format == "json" else logfmt_line
        self._held: list[bytes] = []
        self._size = 0
        self._second = (0, "")
        self._timer: asyncio.TimerHandle | None = None

    def add(self, exchange: Exchange, took: float) -> None:
        """Log a request."""
        line = self._line(self._now(), exchange, took)
        if self._size + len(line) > AT_ONCE:
            self.write()
        self._held.append(line)
        self._size += len(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HELD_BACK, self.write)

    def write(self) -> None:
        """Write what is held back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gathered, self._held, self._size = b"".join(self._held), [], 0
        try:
            sys.stderr.flush()
            while gathered:
                gathered = gathered[os.write(2, gathered) :]
        except OSError:
            return  # nobody reads the log; that is no reason not to serve

    def _now(self) -> str:
        """The time as the other lines have it; most of it is made once a second."""
        at = time.time_ns()
        second = at // 1_000_000_000
        if self._second[0] != second:
            self._second = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        return f"{self._second[1]}.{at // 1000 % 1_000_000:06}Z"


def logfmt_line(at: str, exchange: Exchange, took: float) -> bytes:
    """A line of keys and values."""
    scope = exchange.scope
    client = scope.get("client")
    user = f" user={exchange.user}" if exchange.user else ""
    return (
        f"timestamp={at} level=info logger=entrepot.access request_id={exchange.id} event=request method={_word(scope['method'])} "
        f"path={_word(shown_path(scope))} status={exchange.status} bytes={exchange.sent} ms={took * 1000:.1f} kind={exchange.kind} "
        f"client={client[0] if client else ''}{user}\n"
    ).encode("utf-8", "backslashreplace")


def json_line(at: str, exchange: Exchange, took: float) -> bytes:
    """A line of JSON."""
    scope = exchange.scope
    client = scope.get("client")
    event = {
        "timestamp": at,
        "level": "info",
        "logger": "entrepot.access",
        "request_id": exchange.id,
        "event": "request",
        "method": scope["method"],
        "path": shown_path(scope).encode("utf-8", "backslashreplace").decode(),
        "status": exchange.status,
        "bytes": exchange.sent,
        "ms": round(took * 1000, 1),
        "kind": exchange.kind,
        "client": client[0] if client else "",
        "user": exchange.user or None,
    }
    return orjson.dumps(event) + b"\n"


def shown_path(scope: Scope) -> str:
    """The path without its secrets. The query is left out: nothing in it is worth the risk."""
    path = scope["path"][:LONGEST]
    return redacted(path) if path.isascii() and path.isprintable() else redacted(path.translate(CONTROL))


def _word(text: str) -> str:
    """As logfmt has it: in quotes where it is more than one word."""
    return json.dumps(text, ensure_ascii=False) if not text or any(character in text for character in ' ="\\\n') else text
