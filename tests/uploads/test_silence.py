"""A client that stops sending in the middle of a body is not waited for without an end."""

from __future__ import annotations

import asyncio
import json

import entrepot.http.lingering
import pytest
from house import House, Person
from starlette.types import Message


async def test_a_client_that_falls_silent_is_answered_and_its_spool_is_gone(house: House, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrepot.http.lingering, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(entrepot.http.lingering, "LINGER_SECONDS", 0.05)
    request = house.client(Authorization=f"Bearer {alice.token}").build_request("PUT", "/upload/alice/a.toy", content=bytes(3 << 20))
    arriving = iter([{"type": "http.request", "body": bytes(2 << 20), "more_body": True}])
    sent: list[Message] = []

    async def receive() -> Message:
        for message in arriving:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await asyncio.wait_for(house.app(scope, receive, send), 20)
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
    assert "connection ended" in json.loads(sent[1]["body"])["detail"]
    assert await house.left() == {}
