"""A site with a database that tests fill by hand, and a way to ask its schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from book import Library
from entrepot.app import open_site
from entrepot.db import postgres, sqlite
from entrepot.db.connection import database
from entrepot.graphql.endpoint import graphql_app
from entrepot.graphql.schema import Schema, build_schema
from entrepot.registry import Registry
from entrepot.settings import Settings
from entrepot.site import Site
from ground import Ground
from starlette.applications import Starlette
from starlette.routing import Route
from stock import BASE_URL, Ask, Stock


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.of({"library": Library()})


@pytest.fixture(scope="session")
def schema(registry: Registry) -> Schema:
    return build_schema(registry)


@pytest.fixture
async def site(tmp_path: Path, registry: Registry, ground: Ground) -> AsyncIterator[Site]:
    settings = Settings(data=ground.data(tmp_path / "data"), public_url=BASE_URL)
    async with database(settings):
        site = open_site(settings, registry)
        yield site
        site.close()


@pytest.fixture
def stock(site: Site) -> Stock:
    return Stock(site)


@pytest.fixture
def ask(site: Site, schema: Schema) -> Ask:
    return Ask(site, schema)


@pytest.fixture
async def client(site: Site, schema: Schema) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `/graphql` over HTTP."""
    app = Starlette(routes=[Route("/graphql", graphql_app(site, schema))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Count the statements that reach the database within a `with`."""
    seen: Counter[str] = Counter()

    def counting(execute_query: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(self: Any, query: str, values: list[Any] | None = None) -> Any:
            seen[query] += 1
            return await execute_query(self, query, values)

        return counted

    for engine in (sqlite.Client, postgres.Engine):
        monkeypatch.setattr(engine, "execute_query", counting(engine.execute_query))

    @contextmanager
    def counted() -> Iterator[Counter[str]]:
        seen.clear()
        yield seen

    return counted
