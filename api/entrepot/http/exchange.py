"""A request and its answer, for those who watch: its id, its number in the metrics, its line in the access log.

On the hot path this is one object and no more: the id is made when somebody asks for it, and headers are added only where they are wanted.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Awaitable
from time import perf_counter
from typing import TYPE_CHECKING

from entrepot.counters import board
from entrepot.metrics import RECEIVED, REQUEST_SECONDS, REQUESTS, SECONDS, SENT

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

GIVEN_ID = "entrepot.request_id"
"""The scope's key of an id that a trusted proxy has given."""
_places: dict[tuple[str, int], tuple[int, ...]] = {}
"""Where the numbers of a kind and a status are: the requests, their bytes, and their times as `REQUEST_SECONDS.steps` has them."""
board.forgetting.append(_places.clear)


def _place(kind: str, status: int) -> tuple[int, ...]:
    labels = (kind, str(status) if status else "none")
    places = _places[kind, status] = (REQUESTS.slot(labels), SENT.slot((kind,)), *REQUEST_SECONDS.place((kind,)))
    return places


class Exchange:
    """One request."""

    kind = "other"
    status = 0
    sent = 0
    user = ""
    named = False
    """Whether the answer says the request's id, whatever it is; errors always do."""
    complete = False
    """The last byte of the answer was handed on."""
    answered = False
    _id = ""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.raw = send
        """ASGI's send, which nobody watches."""
        self.started = perf_counter()
        if GIVEN_ID in scope:
            self._id = scope[GIVEN_ID]
            self.named = True

    @property
    def id(self) -> str:
        """The request's id: the proxy's, or one made now. Whoever asks has a use for it, so the answer says it too."""
        if not self._id:
            self._id = secrets.token_hex(8)
            self.named = True
        return self._id

    def send(self, message: Message) -> Awaitable[None]:
        """ASGI's send. No coroutine of its own: that would cost every message as much as all the rest of this."""
        if message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
            self.complete = not message.get("more_body")
        elif message["type"] == "http.response.start":
            self.status = message["status"]
            if self.named or self.status >= 400:
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", self.id.encode())]}
        return self.raw(message)

    def handed_on(self, start: Message, body: Message) -> None:
        """Note an answer of two messages that went out by `raw`: one that had nothing to add, as most have not."""
        self.status = start["status"]
        self.sent = len(body["body"])
        self.complete = True

    def receiving(self, receive: Receive) -> Receive:
        """ASGI's receive, counted."""
        kind = self.kind

        async def counted() -> Message:
            message = await receive()
            if body := message.get("body"):
                RECEIVED.add(kind, by=len(body))
            return message

        return counted

    def finish(self) -> float:
        """The answer is out, or never will be. Answers how many seconds it took."""
        self.answered = self.complete  # else what went wrong is still to be logged
        took = perf_counter() - self.started
        places = _places.get((self.kind, self.status)) or _place(self.kind, self.status)
        values = board.values  # not by the metrics' own methods: this is the hot path, and so it takes half the time
        values[places[0]] += 1
        values[places[1]] += self.sent
        values[places[2 + bisect_left(SECONDS, took)]] += 1
        values[places[-1]] += took
        return took
