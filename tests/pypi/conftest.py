"""The package type by itself, without server and database; and a whole site, for the tests that need one."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import httpx
import pytest
from entrepot.app import Running, running
from entrepot.plugin import Inspection, Strictness
from entrepot.services.facade import Services
from entrepot.services.strictness import check_objections
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot_pypi.packagetype import PypiType
from ground import Ground
from pypi_client import PypiClient

Inspect = Callable[[tuple[str, bytes]], Inspection]


@pytest.fixture(scope="session")
def pypi() -> PypiType:
    return PypiType()


@pytest.fixture(scope="session")
def inspect(pypi: PypiType) -> Inspect:
    """Inspect a built file, given as (basename, bytes), for a namespace of which nothing was said."""

    def inspected(built: tuple[str, bytes]) -> Inspection:
        inspection = pypi.inspect(io.BytesIO(built[1]), built[0])
        check_objections(inspection, Strictness.PRIVATE)
        return inspection

    return inspected


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> AsyncIterator[Running]:
    """A running site, for a whole module: to start one takes longer than the tests do."""
    async with running(Settings(data=lasting_ground.data(tmp_path_factory.mktemp("site") / "data"), max_upload=4 << 20)) as started:
        await create_user(started.site.registry, name="somebody", password=None, admin=False)
        yield started


@pytest.fixture
async def client(site: Running) -> AsyncIterator[PypiClient]:
    """A client with a namespace that no other test uses."""
    namespace = f"alice-{uuid4().hex[:12]}"
    await create_user(site.site.registry, name=namespace, password=None, admin=False)
    token = await create_token(site.site.registry, owner=namespace, name="laptop")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://127.0.0.1") as http:
        yield PypiClient(http, namespace, token, Services(site.site))
