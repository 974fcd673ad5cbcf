"""A site with a database that tests fill by hand, and a way to ask its schema."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from book import Library
from entrepot.app import open_site
from entrepot.db import sqlite
from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.graphql.endpoint import graphql_app
from entrepot.graphql.schema import Schema, build_schema
from entrepot.registry import Registry
from entrepot.settings import Settings
from entrepot.site import Site
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


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every table and no row, to copy."""
    settings = Settings(data=tmp_path_factory.mktemp("empty"))
    asyncio.run(migrate(settings))
    return settings.database_path


@pytest.fixture
async def site(tmp_path: Path, registry: Registry, empty: Path) -> AsyncIterator[Site]:
    settings = Settings(data=tmp_path, public_url=BASE_URL)
    shutil.copy(empty, settings.database_path)
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
    execute_query = sqlite.Client.execute_query

    async def counting(self: sqlite.Client, query: str, values: list[Any] | None = None) -> Any:
        seen[query] += 1
        return await execute_query(self, query, values)

    monkeypatch.setattr(sqlite.Client, "execute_query", counting)

    @contextmanager
    def counted() -> Iterator[Counter[str]]:
        seen.clear()
        yield seen

    return counted
