"""`/healthz` and `/readyz`: whether a server lives, and whether it can serve."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from databases import Databases
from entrepot.db.sql import execute
from entrepot.http import health
from entrepot.registry import Registry
from entrepot_process import eventually
from house import House, open_house
from object_store import object_store
from postgres_server import PostgresServer
from toy import ToyPlugin

if TYPE_CHECKING:
    from .conftest import Serve


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is remembered, and a part has little time."""
    monkeypatch.setattr(health, "REMEMBERED", -1.0)


async def ready(house: House) -> tuple[int, dict[str, Any]]:
    """What `/readyz` says."""
    answer = await house.anyone.get("/readyz")
    return answer.status_code, answer.json()


async def test_a_server_on_its_ground_lives_and_is_ready(house: House) -> None:
    alive = await house.anyone.get("/healthz")
    assert (alive.status_code, alive.json(), alive.headers["cache-control"]) == (200, {"alive": True}, "no-store")
    assert await ready(house) == (200, {"ready": True, "database": "ok", "storage": "ok"})


async def test_health_needs_no_credential_where_nothing_else_is_public(house_data: Path) -> None:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), anonymous_read=False) as closed:
        assert (await closed.anyone.get("/healthz")).status_code == 200
        assert (await ready(closed))[0] == 200


async def test_a_database_without_a_migration_that_this_version_needs_is_behind(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await execute("DELETE FROM tortoise_migrations WHERE app = 'models' AND name = '0001_initial'")
    assert await ready(house) == (503, {"ready": False, "database": "behind", "storage": "ok"})
    assert "models.0001_initial" in caplog.text
    assert (await house.anyone.get("/healthz")).status_code == 200


async def test_a_newer_versions_migrations_do_not_stop_the_old_servers(house: House) -> None:
    await execute("INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_later', '2026-01-01 00:00:00')")
    assert (await ready(house))[0] == 200


async def test_a_folder_that_is_gone_is_a_storage_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENTREPOT_DATABASE_URL", "ENTREPOT_STORAGE_URL", "ENTREPOT_STORAGE_OPTIONS"):
        monkeypatch.delenv(name, raising=False)
    async with open_house(tmp_path / "house", Registry.of({"toy": ToyPlugin()})) as house:
        blobs = tmp_path / "house" / "blobs"
        blobs.rename(tmp_path / "elsewhere")
        assert await ready(house) == (503, {"ready": False, "database": "ok", "storage": "away"})
        shutil.move(tmp_path / "elsewhere", blobs)
        assert (await ready(house))[0] == 200


async def test_an_object_store_that_is_gone_or_hangs_is_away_and_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with object_store(tmp_path / "objects") as store:
        async with open_house(tmp_path / "house", Registry.of({"toy": ToyPlugin()}), **store.place()) as house:
            assert (await ready(house))[0] == 200
            with store.frozen():
                assert await ready(house) == (503, {"ready": False, "database": "ok", "storage": "away"})
            with store.away():
                assert await ready(house) == (503, {"ready": False, "database": "ok", "storage": "away"})
            assert (await ready(house))[0] == 200
    assert store.options["secret_access_key"] not in caplog.text


async def test_a_database_server_that_is_gone_is_away_and_comes_back(tmp_path: Path) -> None:
    server = PostgresServer(durable=True)
    server.start()
    try:
        url = server.url(Databases(server).create())
        async with open_house(tmp_path / "house", Registry.of({"toy": ToyPlugin()}), database_url=url) as house:
            assert (await ready(house))[0] == 200
            server.kill()
            assert await ready(house) == (503, {"ready": False, "database": "away", "storage": "ok"})
            assert (await house.anyone.get("/healthz")).status_code == 200
            server.start()
            assert (await ready(house))[0] == 200
    finally:
        server.remove()


async def test_an_answer_is_remembered_for_a_moment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "REMEMBERED", 60.0)
    assert (await ready(house))[0] == 200
    await execute("DELETE FROM tortoise_migrations WHERE app = 'models'")
    assert (await ready(house))[0] == 200


def test_a_server_that_is_about_to_stop_is_not_ready_but_still_serves(serve: Serve) -> None:
    server = serve(shutdown_delay=5, workers=2)
    assert httpx.get(f"{server.url}/readyz").json()["ready"]
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
    assert httpx.get(f"{server.url}/readyz").json() == {"ready": False, "server": "stopping"}
    assert httpx.get(f"{server.url}/nobody/nothing").status_code == 404
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert server.process.wait(30) == 0
