"""A running site with people in it, for tests that read like a story."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from entrepot.app import running
from entrepot.db.sql import fetch
from entrepot.registry import Registry
from entrepot.services.actors import Actor
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot.site import Site
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TABLES = ("package", "binding", "release", "file", "extra", "label", "file_label", "entry", "head", "change", "shard", "tombstone")
"""What an upload that is refused must leave alone."""


def counting(table: str) -> str:
    """The SELECT that counts the rows of a table, as `n`. Every namespace has the label `main`: it counts where a file has it."""
    return f"SELECT count(*) AS n FROM {table}" + (" WHERE name <> 'main' OR id IN (SELECT label_id FROM file_label)" if table == "label" else "")


@dataclass
class House:
    """A site in this process, with a way in as anybody."""

    site: Site
    app: ASGIApp
    address: str = "http://localhost"
    people: dict[str, Person] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """What happened first in the last request: `asked` for its body, or `answered` it."""

    @property
    def anyone(self) -> httpx.AsyncClient:
        """A client without a credential."""
        return self.client()

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client that sends these headers; an underscore in a name is a dash. It asks for no compression unless told to."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(self._watched, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=self.address, headers={"accept-encoding": "identity", **named})

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.clear()

        async def watched_receive() -> Message:
            self.seen.append("asked")
            return await receive()

        async def watched_send(message: Message) -> None:
            self.seen.append("answered")
            await send(message)

        await self.app(scope, watched_receive, watched_send)

    @property
    def answered_unasked(self) -> bool:
        """Whether the last request was answered before anybody had asked for its body."""
        return self.seen[0] == "answered"

    async def person(self, name: str, *, admin: bool = False) -> Person:
        """A new user with a token."""
        row = await create_user(self.site.registry, name=name, password=None, admin=admin)
        token = await create_token(self.site.registry, owner=name, name="laptop")
        actor = Actor(name=name, namespace_id=row["id"], is_admin=admin, scopes=frozenset({"all"}))
        self.people[name] = Person(self, name, token, actor)
        return self.people[name]

    async def rows(self) -> dict[str, int]:
        """How many rows each table holds that uploads write to, without those that are empty."""
        counts = {table: (await fetch(counting(table)))[0]["n"] for table in TABLES}
        return {table: count for table, count in counts.items() if count}

    @property
    def spooled(self) -> list[str]:
        """What lies in the spool."""
        return sorted(file.name for file in self.site.storage.spool_folder.iterdir())

    async def left(self) -> dict[str, Any]:
        """Everything that uploads have left: rows, spooled bytes, blobs that count as stored. Empty where nothing happened."""
        stored = await fetch("SELECT sha256 FROM blob WHERE state = 'stored'")
        found: dict[str, Any] = await self.rows()
        return found | ({"spool": self.spooled} if self.spooled else {}) | ({"stored": len(stored)} if stored else {})


@dataclass
class Person:
    """A user with a token."""

    house: House
    name: str
    token: str
    actor: Actor

    @property
    def client(self) -> httpx.AsyncClient:
        """A client that sends the token."""
        return self.house.client(Authorization=f"Bearer {self.token}")

    async def scoped(self, *scopes: str, expires_in: timedelta | None = timedelta(days=1)) -> httpx.AsyncClient:
        """A client with another token, of these scopes."""
        token = await self.new_token(*scopes, expires_in=expires_in)
        return self.house.client(Authorization=f"Bearer {token}")

    async def new_token(self, *scopes: str, expires_in: timedelta | None = timedelta(days=1)) -> str:
        """Another token, of these scopes."""
        return await create_token(self.house.site.registry, owner=self.name, name="another", scopes=scopes or ("all",), expires_in=expires_in)

    async def put(self, basename: str, body: bytes, *, labels: Sequence[str] = (), to: str = "", **query: str) -> httpx.Response:
        """Upload a file to the own namespace, or to another one."""
        parameters = httpx.QueryParams([*query.items(), *(("label", label) for label in labels)])
        return await self.client.put(f"/upload/{to or self.name}/{basename}", params=parameters, content=body)

    async def has(self, basename: str, body: bytes, **options: Any) -> Mapping[str, Any]:
        """Upload a file, which must be taken; answers it as the server does."""
        response = await self.put(basename, body, **options)
        assert response.status_code == 201, response.text
        made: Mapping[str, Any] = response.json()
        return made


@asynccontextmanager
async def open_house(data: Path, registry: Registry, **settings: Any) -> AsyncIterator[House]:
    """A running site on a data folder; with `public_url` among its settings, that is where its clients ask."""
    async with running(Settings(data=data, **settings), registry) as started:
        yield House(started.site, started.app, settings.get("public_url") or "http://localhost")


def sentence(response: httpx.Response, status: int) -> str:
    """The sentence of a refusal, which must have this status and be problem details as RFC 9457 has them."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem = response.json()
    assert problem["status"] == status
    detail: str = problem["detail"]
    assert " " in detail
    assert detail.endswith((".", "?"))
    return detail


def open_files() -> set[str]:
    """The names of the files that this process has open, from Linux's /proc."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that lists them is gone
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return found
