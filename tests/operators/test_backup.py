"""Backup and restore, under load, by the commands of the manual: what was answered before the backup began is there after the restore."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from command import run_command
from conda_builder import build_conda
from databases import shared_databases
from entrepot_process import COMMAND, eventually, process_environment, serving
from ground import Ground
from object_store import shared_store
from postgres_server import programs, shared_server
from pypi_builder import build_wheel
from real_client import Client, run
from under_load import Load, assert_all_there

if TYPE_CHECKING:
    from .conftest import Serve

MANUAL = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()


def command(beginning: str) -> str:
    """The command of the manual that begins so."""
    [found] = set(re.findall(rf"(?:^|`)({re.escape(beginning)}[^`\n]*)", MANUAL, re.MULTILINE))
    return str(found)


def shell(line: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Run a command of the manual, with a folder of the test's in place of the manual's."""
    assert "/srv/backup" in line
    path = {"PATH": f"{Path(COMMAND[0]).parent}:{programs()}:{os.environ['PATH']}"}
    line = line.replace("/srv/backup", str(folder))
    done = subprocess.run(line, shell=True, env={**environment, **path}, cwd=folder.parent, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, (line, done.stderr)


class Backup:
    """A backup of a ground, and its restoration elsewhere."""

    def __init__(self, ground: Ground, data: Path, folder: Path) -> None:
        self.ground = ground
        self.data = data
        self.folder = folder
        folder.mkdir()

    def take(self) -> None:
        """As the manual says: the database, and then the files."""
        environment = process_environment()
        if self.ground.is_folder:
            shell(f"{command('entrepot backup')} --data {self.data}", self.folder, environment)
            return
        shell(command("pg_dump"), self.folder, environment)
        assert command("rclone copy store:").endswith("sha256 /srv/backup/sha256")  # what the lines below do
        source = shared_store().client(self._prefix(environment))
        for batch in source.list("sha256/"):
            for found in batch:
                target = self.folder / found["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.get(found["path"]).bytes())

    def restore(self, place: Path) -> dict[str, str]:
        """Put it where nothing was; answers what tells a server of it."""
        if self.ground.is_folder:
            shutil.copytree(self.folder / "entrepot", place)
            return process_environment()
        place.mkdir()
        options = json.loads(self.ground.environment["ENTREPOT_STORAGE_OPTIONS"])
        fresh = shared_store().place()
        database = shared_databases().create()
        storage = {"ENTREPOT_STORAGE_URL": fresh["storage_url"], "ENTREPOT_STORAGE_OPTIONS": json.dumps(options)}
        environment = {**process_environment(), **storage, "ENTREPOT_DATABASE_URL": shared_server().url(database)}
        target = shared_store().client(self._prefix(environment))
        for file in self.folder.glob("sha256/*/*/*"):
            target.put(str(file.relative_to(self.folder)), file.read_bytes())
        shell(command("pg_restore"), self.folder, environment)
        return environment

    @staticmethod
    def _prefix(environment: Mapping[str, str]) -> str:
        return environment["ENTREPOT_STORAGE_URL"].removeprefix("s3://").partition("/")[2]


def test_a_backup_that_was_taken_under_load_restores_all_that_was_answered_before_it_began(
    serve: Serve, token: str, ground: Ground, data: Path, tmp_path: Path
) -> None:
    server = serve(workers=2)
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        for basename, body in (build_wheel("harbour", "1.0", ["quay"]), build_wheel("quay", "2.0"), build_conda("app", "1.0", depends=["pkg0"])):
            assert client.put(f"/upload/alice/{basename}", content=body).status_code == 201
    backup = Backup(ground, data, tmp_path / "backup")
    with Load(server.url, token).running() as load:
        eventually(lambda: len(load.answered) >= 25, 90)
        before = dict(load.answered)
        backup.take()
        eventually(lambda: len(load.answered) >= len(before) + 10, 90)
    assert load.refused == []
    for process in server.processes:
        os.kill(process, signal.SIGKILL)
    place = tmp_path / "restored"
    environment = backup.restore(place)
    if not ground.is_folder:  # as the manual says
        assert run_command("gc", "--data", place, folder=tmp_path, environment=environment).returncode == 0
    checked = run_command("check", "--data", place, folder=tmp_path, environment=environment)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr
    with serving(place, environment=environment) as restored:
        load.answered = before
        assert_all_there(restored.url, load)
        tools = Client(tmp_path / "tools" / "home")
        python = tools.venv()
        tools.pip(python, "install", "--index-url", f"{restored.url}/pypi/alice/simple/", "harbour")
        assert "quay" in run([str(python), "-m", "pip", "list"], env=tools.env).stdout
        assert "app 1.0 0" in tools.rattler(f"{restored.url}/conda/alice", tools.home / "prefix", "app").stdout
        more, body = build_conda("later", "1.0")
        answer = httpx.put(f"{restored.url}/upload/alice/{more}", content=body, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        assert answer.status_code == 201  # the token is there too


def backed_up(data: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """`entrepot backup`, whatever becomes of it."""
    return run_command("backup", folder, "--data", data, folder=data.parent, environment=process_environment())


@pytest.fixture
def filled(serve: Serve, token: str) -> list[str]:
    """A server was there, with two packages; answers their digests."""
    server = serve()
    digests = []
    for version in ("1.0", "2.0"):
        basename, body = build_conda("ship", version)
        answer = httpx.put(f"{server.url}/upload/alice/{basename}", content=body, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        digests.append(answer.json()["sha256"])
    server.process.terminate()
    server.process.wait(60)
    return digests


def test_a_backup_is_a_data_folder_and_made_again_copies_what_is_new(filled: list[str], data: Path, ground: Ground, tmp_path: Path) -> None:
    done = backed_up(data, tmp_path / "copy")
    if not ground.is_folder:
        assert done.returncode == 1
        assert done.stderr.startswith("This site's database is PostgreSQL: use pg_dump first")
        assert not (tmp_path / "copy").exists()
        return
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "of which were copied now: 2" in done.stderr
    assert sorted(entry.name for entry in (tmp_path / "copy").iterdir()) == ["blobs", "entrepot.sqlite3"]
    again = backed_up(data, tmp_path / "copy")
    assert "of which were copied now: 0" in again.stderr
    check = run_command("check", "--data", tmp_path / "copy", folder=tmp_path, environment=process_environment())
    assert (check.returncode, check.stdout) == (0, "")


@pytest.mark.parametrize("harm", ["lost", "damaged"])
def test_with_bytes_lost_or_damaged_the_backup_says_so_and_the_one_before_stays(
    filled: list[str], data: Path, ground: Ground, tmp_path: Path, harm: str
) -> None:
    copy = tmp_path / "copy"
    first = backed_up(data, copy)
    assert (first.returncode == 0) == ground.is_folder
    if not ground.is_folder:
        return
    before = (copy / "entrepot.sqlite3").read_bytes()
    digest = filled[0]
    inside = Path("blobs", "sha256", digest[:2], digest[2:4], digest)
    (copy / inside).unlink()
    if harm == "lost":
        (data / inside).unlink()
    else:
        (data / inside).write_bytes(b"x" * (data / inside).stat().st_size)
    done = backed_up(data, copy)
    assert done.returncode == 1
    assert digest in done.stdout
    assert (copy / "entrepot.sqlite3").read_bytes() == before
    assert not (copy / inside).exists()
    assert not list(copy.glob("*.new*"))


def test_a_backup_onto_itself_is_refused(filled: list[str], data: Path, ground: Ground) -> None:
    done = backed_up(data, data)
    assert done.returncode == 1
    assert ("another folder" in done.stderr) == ground.is_folder
