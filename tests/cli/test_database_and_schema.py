"""`entrepot migrate` and `entrepot export-schema`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from entrepot.db import migrations
from ground import Ground

if TYPE_CHECKING:
    from .conftest import Entrepot

MIGRATIONS = [f"models.{path.stem}" for path in sorted(Path(migrations.__path__[0]).glob("0*.py"))]
SCHEMA = Path(__file__).parents[2] / "schema.graphql"
BUILT_IN = {"ENTREPOT_PLUGINS": "conda,environment,notebook,pypi"}


def test_a_fresh_database_gets_every_migration_and_says_which(entrepot: Entrepot, data: Path, tmp_path: Path) -> None:
    fresh = {"ENTREPOT_DATABASE_URL": f"sqlite:///{tmp_path / 'fresh.sqlite3'}"}
    done = entrepot("migrate", "--data", data, environment=fresh)
    assert (done.returncode, done.stdout.splitlines()) == (0, MIGRATIONS)
    assert done.stderr == f"Migrations applied: {len(MIGRATIONS)}.\n"
    again = entrepot("migrate", "--data", data, environment=fresh)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "The database is up to date.\n")


def test_a_database_that_is_up_to_date_is_left_alone(entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot("migrate", "--data", with_alice)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "The database is up to date.\n")
    assert "alice" in entrepot("user", "list", "--data", with_alice).stdout


def test_a_database_that_is_away_is_a_sentence_without_the_password(entrepot: Entrepot, data: Path) -> None:
    away = {"ENTREPOT_DATABASE_URL": "postgres://entrepot:secret@127.0.0.1:9/entrepot"}
    done = entrepot("migrate", "--data", data, environment=away)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "127.0.0.1:9" in done.stderr
    assert "secret" not in done.stderr


def test_the_schema_is_printed_as_the_repository_has_it(entrepot: Entrepot, tmp_path: Path) -> None:
    done = entrepot("export-schema", environment=BUILT_IN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == SCHEMA.read_text()
    assert os.listdir(tmp_path) == []  # it needs no data folder, and makes none


def test_the_schema_knows_the_plugins_that_are_loaded_and_no_others(entrepot: Entrepot) -> None:
    done = entrepot("export-schema", environment={"ENTREPOT_PLUGINS": "pypi"})
    assert "type PypiFile implements" in done.stdout
    assert "type CondaFile implements" not in done.stdout


def test_the_schema_goes_to_a_file(entrepot: Entrepot, tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text("older, and longer" * 100_000)
    done = entrepot("export-schema", "--output", "schema.graphql", environment=BUILT_IN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Wrote the schema to schema.graphql.\n")
    assert (tmp_path / "schema.graphql").read_text() == SCHEMA.read_text()


def test_a_file_that_cannot_be_written_is_a_sentence(entrepot: Entrepot, tmp_path: Path) -> None:
    done = entrepot("export-schema", "--output", "nowhere/schema.graphql")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "nowhere/schema.graphql: No such file or directory.\n")


@pytest.mark.parametrize("arguments", [["gc"], ["token", "list", "alice"]])
def test_what_looks_at_a_site_makes_none(ground: Ground, entrepot: Entrepot, data: Path, arguments: list[str]) -> None:
    environment = {} if ground.is_folder else {"ENTREPOT_STORAGE_URL": ""}
    done = entrepot(*arguments, "--data", data, environment=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"There is no data folder {data}. Name the server's with --data.\n"
    assert not data.exists()
