"""Migrating PostgreSQL: from several hosts at once, with rows, whole or not at all, and with texts that compare as their bytes do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from databases import shared_databases
from entrepot.db import migrations
from entrepot.db.connection import configuration, database
from entrepot.db.migrate import BYTEWISE, migrate
from entrepot.db.sql import execute, fetch
from entrepot.errors import SettingsError
from entrepot.hooks import Models
from entrepot.settings import Settings
from ground import Ground, laid
from postgres_server import PostgresServer, free_port, shared_server
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError
from tortoise.migrations.autodetector import MigrationAutodetector

Spawn = Callable[..., Any]
MIGRATIONS = [f"models.{path.stem}" for path in sorted(Path(migrations.__path__[0]).glob("0*.py"))]
SHOP = Models(label="shop", models="shop.models", migrations="shop.migrations")
FIRST = """
    from tortoise.migrations import Migration
    from tortoise.migrations.operations import RunSQL

    class Migration(Migration):
        operations = [RunSQL('''
            CREATE TABLE shop_shelf (id BIGSERIAL PRIMARY KEY, name VARCHAR(10) NOT NULL UNIQUE, note TEXT); -- one; two
            CREATE TABLE shop_thing (id BIGSERIAL PRIMARY KEY, shelf_id BIGINT NOT NULL REFERENCES shop_shelf ON DELETE CASCADE);
            INSERT INTO shop_shelf (name) VALUES ('a;b');
        ''')]
    """
SECOND = """
    from tortoise.migrations import Migration
    from tortoise.migrations.operations import RunSQL

    class Migration(Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [RunSQL('''
            ALTER TABLE shop_shelf ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';
            ALTER TABLE shop_shelf DROP COLUMN note;
        ''')]
    """
MODELS = """
    from tortoise import fields
    from tortoise.models import Model

    class Shelf(Model):
        id = fields.BigIntField(primary_key=True)
        name = fields.CharField(max_length=10)

        class Meta:
            table = "shop_shelf"
    """


@pytest.fixture
def ground() -> Iterator[Ground]:
    """PostgreSQL: that is what these tests are about."""
    with laid("fleet") as ground:
        yield ground


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Settings]:
    """A database without a table."""
    name = shared_databases().create()
    yield Settings(data=tmp_path / "data", database_url=shared_server().url(name))
    shared_databases().drop(name)


class Shop:
    """A plugin with tables of its own, whose code changes."""

    def __init__(self, folder: Path) -> None:
        self._migrations = folder / "shop" / "migrations"
        self._migrations.mkdir(parents=True)
        for package in (folder / "shop", self._migrations):
            (package / "__init__.py").touch()
        (folder / "shop" / "models.py").write_text(textwrap.dedent(MODELS))
        self.add("0001_initial", FIRST)

    def add(self, name: str, text: str) -> None:
        (self._migrations / f"{name}.py").write_text(textwrap.dedent(text))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    import sys

    shop = Shop(tmp_path / "plugin")
    monkeypatch.syspath_prepend(tmp_path / "plugin")
    yield shop
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[name]


async def test_an_empty_database_gets_every_table_and_a_second_start_has_nothing_to_do(empty: Settings) -> None:
    assert await migrate(empty) == MIGRATIONS
    async with database(empty):
        tables = {row["tablename"] for row in await fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert {"namespace", "package", "file", "head", "blob", "tortoise_migrations"} <= tables
    assert await migrate(empty) == []


async def test_the_migrations_make_what_the_models_say(empty: Settings) -> None:
    config = configuration(empty, ())
    async with TortoiseContext() as context:
        await context.init(config=config)
        assert context.apps is not None
        assert await MigrationAutodetector(context.apps, config["apps"]).changes() == []


async def test_every_text_compares_as_its_bytes_do_also_in_the_tables_of_plugins(db: Settings, shop: Shop) -> None:
    assert await migrate(db, [SHOP]) == ["shop.0001_initial"]
    kept = await fetch(BYTEWISE)
    assert [(row["table"], row["column"]) for row in kept if row["table"] != "tortoise_migrations"] == []
    for name in ("b", "B", "_", "é", "a-b", "ab"):
        await execute("INSERT INTO shop_shelf (name) VALUES ($1)", name)
    names = [row["name"] for row in await fetch("SELECT name FROM shop_shelf ORDER BY name")]
    assert names == sorted(names, key=str.encode)
    with pytest.raises(Exception, match="duplicate key"):
        await execute("INSERT INTO shop_shelf (name) VALUES ('b')")


async def test_a_text_of_another_order_is_put_right(empty: Settings) -> None:
    connection = await asyncpg.connect(empty.database_url)
    await connection.execute("CREATE TABLE before (name text COLLATE pg_c_utf8)")
    await connection.close()
    await migrate(empty)
    async with database(empty):
        assert await fetch(BYTEWISE) == []


async def test_a_migration_with_rows_keeps_them_and_what_points_to_them(db: Settings, shop: Shop) -> None:
    await migrate(db, [SHOP])
    await execute("INSERT INTO shop_shelf (id, name) VALUES (7, 'tools')")
    await execute("INSERT INTO shop_thing (shelf_id) VALUES (7), (7)")
    shop.add("0002_wider", SECOND)
    assert await migrate(db, [SHOP]) == ["shop.0002_wider"]
    kept = [[*row.values()] for row in await fetch("SELECT id, name, colour FROM shop_shelf ORDER BY id")]
    assert kept == [[1, "a;b", "red"], [7, "tools", "red"]]
    assert len(await fetch("SELECT * FROM shop_thing WHERE shelf_id = 7")) == 2


async def test_a_migration_that_fails_changes_nothing_and_can_be_run_again_when_it_is_mended(db: Settings, shop: Shop) -> None:
    import sys

    await migrate(db, [SHOP])
    shop.add("0002_wider", SECOND.replace("DROP COLUMN note", "DROP COLUMN no_such_column"))
    with pytest.raises(OperationalError, match="no_such_column"):
        await migrate(db, [SHOP])
    assert [set(row.keys()) for row in await fetch("SELECT * FROM shop_shelf")] == [{"id", "name", "note"}]
    shop.add("0002_wider", SECOND)
    sys.modules.pop("shop.migrations.0002_wider")
    assert await migrate(db, [SHOP]) == ["shop.0002_wider"]


async def test_a_database_that_is_newer_than_the_code_is_refused(db: Settings) -> None:
    await execute("INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_future', now())")
    with pytest.raises(SettingsError, match=r"newer version.*models\.9999_future"):
        await migrate(db)


async def test_hosts_that_start_together_migrate_once(empty: Settings, spawn: Spawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a data folder of its own, and so no lock file in common with the others."""
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", empty.database_url)
    processes = [spawn("migrator.py", tmp_path / f"host{number}") for number in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [(await anyio.to_thread.run_sync(process.communicate))[0].splitlines()[-1] for process in processes]
    assert sorted(said) == ["applied", "applied", "applied", f"applied {' '.join(MIGRATIONS)}"]
    assert [process.returncode for process in processes] == [0] * 4


async def test_who_waits_for_another_host_can_be_cancelled(empty: Settings) -> None:
    holder = await asyncpg.connect(empty.database_url)
    from entrepot.db.migrate import ADVISORY_LOCK

    await holder.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
    with anyio.move_on_after(0.3) as scope:
        await migrate(empty)
    assert scope.cancelled_caught
    await holder.close()
    with anyio.fail_after(60):  # a lock that was kept would be waited for without an end; a busy machine migrates slowly
        assert await migrate(empty) == MIGRATIONS


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgres://entrepot:hunter2@127.0.0.1:{nobody}/x", "PostgreSQL at 127.0.0.1:{nobody}, database x cannot be reached: "),
        ("postgres://entrepot:hunter2@127.0.0.1:{port}/nowhere", "PostgreSQL at 127.0.0.1:{port}, database nowhere: there is no such database. "),
        ("postgres://nobody:hunter2@127.0.0.1:{port}/postgres", "PostgreSQL at 127.0.0.1:{port}, database postgres refuses the connection: "),
        (
            "postgres://entrepot@/postgres?host=/no/such/socket&password=hunter2",
            "PostgreSQL at /no/such/socket, database postgres cannot be reached: ",
        ),
        ("postgres://entrepot:hunter2/2@127.0.0.1/x", "database_url is no URL that PostgreSQL takes: "),
        ("postgres://entrepot:12/hunter2@127.0.0.1/x", "database_url is no URL that PostgreSQL takes: "),
        ("postgres://entrepot:hunter2@[::1/x", "database_url is no URL that PostgreSQL takes: "),
    ],
)
async def test_why_it_cannot_connect_is_said_in_a_sentence_without_the_password(tmp_path: Path, url: str, sentence: str) -> None:
    ports = {"port": shared_server().port, "nobody": free_port()}
    with pytest.raises(SettingsError) as refusal:
        await migrate(Settings(data=tmp_path, database_url=url.format(**ports)))
    assert refusal.value.message.startswith(sentence.format(**ports))
    assert "hunter2" not in refusal.value.message


async def test_a_server_that_is_starting_is_said_to_be(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.stop()
    with pytest.raises(SettingsError, match=r"cannot be reached.*Check that it runs"):
        await migrate(Settings(data=tmp_path, database_url=postgres.url()))
    postgres.start()
    assert await migrate(Settings(data=tmp_path, database_url=postgres.url())) == MIGRATIONS
