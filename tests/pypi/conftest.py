"""The package type by itself, without server and database; and a whole site, for the tests that need one."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from entrepot.app import running
from entrepot.plugin import Inspection
from entrepot.services.facade import Services
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot_pypi.packagetype import PypiType
from pypi_client import PypiClient

Inspect = Callable[[tuple[str, bytes]], Inspection]


@pytest.fixture(scope="session")
def pypi() -> PypiType:
    return PypiType()


@pytest.fixture(scope="session")
def inspect(pypi: PypiType) -> Inspect:
    """Inspect a built file, given as (basename, bytes)."""
    return lambda built: pypi.inspect(io.BytesIO(built[1]), built[0])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[PypiClient]:
    settings = Settings(data=tmp_path / "data", max_upload=4 << 20)
    async with running(settings) as started:
        await create_user(started.site.registry, name="alice", password=None, admin=False)
        await create_user(started.site.registry, name="bob", password=None, admin=False)
        token = await create_token(started.site.registry, owner="alice", name="laptop")
        transport = httpx.ASGITransport(started.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield PypiClient(http, token, Services(started.site))
