"""Migrating at start: fresh, again, with rows, together, and never backwards."""

from __future__ import annotations

import sqlite3
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from entrepot.db import migrations
from entrepot.db.connection import configuration, database
from entrepot.db.migrate import locked, migrate, statements
from entrepot.db.sql import execute, fetch, transaction
from entrepot.errors import SettingsError
from entrepot.hooks import Models
from entrepot.settings import Settings
from ground import Ground, laid
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError
from tortoise.migrations.autodetector import MigrationAutodetector

Spawn = Callable[..., Any]
MIGRATIONS = [f"models.{path.stem}" for path in sorted(Path(migrations.__path__[0]).glob("0*.py"))]
SHOP = Models(label="shop", models="shop.models", migrations="shop.migrations")

MODELS = """
    from tortoise import fields
    from tortoise.models import Model

    class Shelf(Model):
        '''A shelf; with a semicolon, as docstrings have.'''

        id = fields.BigIntField(primary_key=True)
        name = fields.CharField(max_length=10)

        class Meta:
            table = "shop_shelf"
    """

FIRST = """
    from tortoise.migrations import Migration
    from tortoise.migrations.operations import RunSQL

    class Migration(Migration):
        operations = [RunSQL('''
            CREATE TABLE shop_shelf (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL); -- one; two
            CREATE TABLE shop_thing (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, shelf_id BIGINT NOT NULL REFERENCES shop_shelf ON DELETE CASCADE);
            CREATE INDEX shop_thing_shelf ON shop_thing (shelf_id);
            INSERT INTO shop_shelf (name) VALUES ('a;b');
        ''')]
    """

SECOND = """
    from tortoise.migrations import Migration
    from tortoise.migrations.operations import RunSQL

    class Migration(Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [RunSQL('''
            CREATE TABLE shop_shelf_new (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, colour TEXT NOT NULL DEFAULT 'red');
            INSERT INTO shop_shelf_new (id, name) SELECT id, name FROM shop_shelf;
            DROP TABLE shop_shelf;
            ALTER TABLE shop_shelf_new RENAME TO shop_shelf;
        ''')]
    """


class Shop:
    """A plugin with tables of its own, whose code changes."""

    def __init__(self, folder: Path) -> None:
        self._migrations = folder / "shop" / "migrations"
        self._migrations.mkdir(parents=True)
        (folder / "shop" / "__init__.py").touch()
        (self._migrations / "__init__.py").touch()
        self.write(folder / "shop" / "models.py", MODELS)

    def write(self, path: Path, text: str) -> None:
        path.write_text(textwrap.dedent(text))

    def add(self, name: str, text: str) -> None:
        self.write(self._migrations / f"{name}.py", text)

    def remove(self, name: str) -> None:
        (self._migrations / f"{name}.py").unlink()


@pytest.fixture
def ground() -> Iterator[Ground]:
    """SQLite: that is what these tests are about."""
    with laid("folder") as ground:
        yield ground


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = Shop(tmp_path / "plugin")
    shop.add("0001_initial", FIRST)
    monkeypatch.syspath_prepend(tmp_path / "plugin")
    yield shop
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[name]


def ask(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(settings.database_path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


async def test_a_fresh_database_gets_every_table_and_a_second_start_has_nothing_to_do(settings: Settings) -> None:
    assert await migrate(settings) == MIGRATIONS
    tables = {name for (name,) in ask(settings, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"namespace", "package", "file", "head", "blob", "tortoise_migrations"} <= tables
    assert await migrate(settings) == []


async def test_the_migrations_make_what_the_models_say(settings: Settings) -> None:
    config = configuration(settings, ())
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        assert context.apps is not None
        assert await MigrationAutodetector(context.apps, config["apps"]).changes() == []


async def test_migrating_works_while_the_database_is_open_and_its_connections_stay(db: Settings, shop: Shop) -> None:
    await execute("INSERT INTO blob (sha256, size, state, touched_at) VALUES ('a', 1, 'stored', 0)")
    assert await migrate(db, [SHOP]) == ["shop.0001_initial"]
    assert [row["name"] for row in await fetch("SELECT name FROM shop_shelf")] == ["a;b"]
    assert len(await fetch("SELECT * FROM blob")) == 1


async def test_a_rebuilt_table_keeps_its_rows_and_the_rows_that_point_to_them(migrated: Settings, shop: Shop) -> None:
    assert await migrate(migrated, [SHOP]) == ["shop.0001_initial"]
    async with database(migrated, [SHOP]):
        await execute("INSERT INTO shop_shelf (id, name) VALUES (7, 'tools')")
        await execute("INSERT INTO shop_thing (shelf_id) VALUES (7), (7)")
    shop.add("0002_wider", SECOND)
    assert await migrate(migrated, [SHOP]) == ["shop.0002_wider"]
    async with database(migrated, [SHOP]):
        assert [[*row] for row in await fetch("SELECT id, name, colour FROM shop_shelf")] == [[1, "a;b", "red"], [7, "tools", "red"]]
        assert len(await fetch("SELECT * FROM shop_thing WHERE shelf_id = 7")) == 2
        await execute("DELETE FROM shop_shelf WHERE id = 7")
        assert await fetch("SELECT * FROM shop_thing") == []
    assert ask(migrated, "SELECT name FROM sqlite_master WHERE name = 'shop_thing_shelf'") == [("shop_thing_shelf",)]


async def test_a_migration_that_fails_changes_nothing_and_can_be_run_again_when_it_is_mended(migrated: Settings, shop: Shop) -> None:
    await migrate(migrated, [SHOP])
    shop.add("0002_wider", SECOND.replace("DROP TABLE shop_shelf;", "DROP TABLE shop_shelf; DROP TABLE no_such_table;"))
    with pytest.raises(OperationalError, match="no_such_table"):
        await migrate(migrated, [SHOP])
    assert ask(migrated, "SELECT name FROM shop_shelf") == [("a;b",)]
    assert ask(migrated, "SELECT name FROM sqlite_master WHERE name = 'shop_shelf_new'") == []
    shop.add("0002_wider", SECOND)
    sys.modules.pop("shop.migrations.0002_wider")
    assert await migrate(migrated, [SHOP]) == ["shop.0002_wider"]


async def test_a_migration_and_the_record_of_it_are_one_transaction(migrated: Settings, shop: Shop) -> None:
    ask(migrated, "CREATE TRIGGER refuse AFTER INSERT ON tortoise_migrations BEGIN SELECT RAISE(ABORT, 'no record'); END")
    with pytest.raises(OperationalError, match="no record"):
        await migrate(migrated, [SHOP])
    assert ask(migrated, "SELECT name FROM sqlite_master WHERE name LIKE 'shop%'") == []
    ask(migrated, "DROP TRIGGER refuse")
    assert await migrate(migrated, [SHOP]) == ["shop.0001_initial"]


async def test_a_migration_that_would_leave_rows_pointing_nowhere_is_undone(migrated: Settings, shop: Shop) -> None:
    await migrate(migrated, [SHOP])
    async with database(migrated, [SHOP]):
        await execute("INSERT INTO shop_thing (shelf_id) VALUES (1)")
    shop.add("0002_wider", SECOND.replace("FROM shop_shelf;", "FROM shop_shelf WHERE id > 1;"))
    with pytest.raises(OperationalError, match="rows of shop_thing point to rows of shop_shelf"):
        await migrate(migrated, [SHOP])
    assert ask(migrated, "SELECT count(*) FROM shop_thing JOIN shop_shelf ON shop_shelf.id = shelf_id") == [(1,)]


async def test_a_database_that_is_newer_than_the_code_is_refused(migrated: Settings, shop: Shop) -> None:
    shop.add("0002_wider", SECOND)
    await migrate(migrated, [SHOP])
    shop.remove("0002_wider")
    with pytest.raises(SettingsError, match=r"newer version.*shop\.0002_wider"):
        await migrate(migrated, [SHOP])
    assert await migrate(migrated) == []  # without the plugin, its tables are nobody's business


async def test_several_processes_that_start_together_migrate_once(settings: Settings, spawn: Spawn) -> None:
    processes = [spawn("migrator.py", settings.data) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [(await anyio.to_thread.run_sync(process.communicate))[0].splitlines()[-1] for process in processes]
    assert sorted(said) == ["applied", "applied", "applied", f"applied {' '.join(MIGRATIONS)}"]
    assert [process.returncode for process in processes] == [0] * 4


async def test_a_wait_for_the_lock_can_be_cancelled_and_the_lock_is_given_back(tmp_path: Path) -> None:
    async with locked(tmp_path / "lock"):
        with anyio.move_on_after(0.02) as scope:
            async with locked(tmp_path / "lock"):
                pytest.fail("two hold the lock at once")
        assert scope.cancelled_caught
    with anyio.fail_after(5):
        async with locked(tmp_path / "lock"):
            pass


async def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="cannot be created: Not a directory"):
        await migrate(Settings(data=tmp_path / "file" / "data"))


async def test_a_file_that_is_no_database_is_said_in_a_sentence(settings: Settings) -> None:
    settings.data.mkdir()
    settings.database_path.write_text("This is not a database. " * 100)
    with pytest.raises(SettingsError, match="cannot be opened: file is not a database"):
        await migrate(settings)


@pytest.mark.parametrize("url", ["mysql://localhost/entrepot", "sqlite", "sqlite://", "sqlite:///", "nonsense"])
async def test_a_database_url_that_means_nothing_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="database_url"):
        await migrate(Settings(data=tmp_path, database_url=url))


async def test_the_database_may_lie_outside_of_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", database_url=f"sqlite://{tmp_path}/else%20where/x.db")
    await migrate(settings)
    async with database(settings), transaction():
        await execute("DELETE FROM blob")
    assert (tmp_path / "else where" / "x.db").exists()
    assert not settings.database_path.exists()


def test_a_script_is_cut_at_semicolons_that_end_a_statement_only() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;"
    assert list(statements(f"SELECT 'a;b';\n{trigger} ;; /* x; y */ SELECT 1 -- z;\n")) == ["SELECT 'a;b';", trigger, "/* x; y */ SELECT 1 -- z;\n;"]
    assert list(statements(" \n ; ")) == []
