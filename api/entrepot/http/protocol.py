"""HTTP/1.1 as uvicorn speaks it, with a bound on what stands before a body: httptools gathers a request's head in memory, however long it is."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 << 10
REFUSAL = b"The request's line and headers are longer than this server takes.\n"


class HeadTooLong(Exception):
    """Stops the parser."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = self._begun_just_now = False
        self._gathered = 0
        """How much of a head that has not ended has come, without what came together with its beginning."""

    def data_received(self, data: bytes) -> None:
        """Take what has come; what neither begins nor ends a head was a piece of one."""
        self._begun_just_now = False
        super().data_received(data)
        if self._in_head and not self._begun_just_now:
            self._gathered += len(data)
            if self._gathered > LARGEST_HEAD:
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """httptools: a request begins."""
        self._in_head = self._begun_just_now = True
        self._gathered = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """httptools: its head has ended."""
        self._in_head = False
        self._gathered = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._gathered > LARGEST_HEAD:
            raise HeadTooLong
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read; 431 where it is too long."""
        if self._gathered <= LARGEST_HEAD:
            super().send_400_response(msg)
        elif not self.transport.is_closing():
            head = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(head % len(REFUSAL) + REFUSAL)
            self.transport.close()
