"""`entrepot import` in processes of its own."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import run_command
from conda_builder import build_conda
from entrepot.db.connection import database
from entrepot.registry import Registry
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot_process import COMMAND, ENVIRONMENT, serving
from ground import Ground
from pypi_builder import build_wheel

FILES = 100


@dataclass
class Place:
    """A data folder with alice, a folder of packages, and a way to run the command."""

    data: Path
    folder: Path
    environment: Mapping[str, str]

    def command(self, *arguments: object) -> list[str]:
        return [*COMMAND, *map(str, arguments), "--data", str(self.data)]

    def entrepot(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return run_command(*arguments, "--data", self.data, folder=self.data.parent, environment=self.environment)

    def take(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.entrepot("import", self.folder, "--namespace", "alice", *arguments)

    def fill(self, count: int) -> set[str]:
        """Put packages into the folder, the larger ones among them of several pieces; answers their names."""
        (self.folder / "noarch").mkdir(exist_ok=True)
        names = set()
        for number in range(count):
            files = {"share/x": os.urandom(3 << 20)} if number % 50 == 7 else {"share/x": b"%d" % number}
            basename, body = build_conda(f"p{number % 5}", f"1.{number}", files=files)
            (self.folder / "noarch" / basename).write_bytes(body)
            names.add(f"noarch/{basename}")
        return names


@pytest.fixture
def place(tmp_path: Path, ground: Ground) -> Place:
    """An empty folder, and alice."""
    found = Place(ground.data(tmp_path / "data"), tmp_path / "mirror", {**ENVIRONMENT, **ground.environment})
    found.folder.mkdir()
    registry = Registry.built_in()

    async def create() -> None:
        async with database(Settings(data=found.data)):
            await create_user(registry, name="alice", password=None, admin=False)

    asyncio.run(create())
    return found


def lines(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def test_people_get_a_summary_and_programs_a_line_for_each_file(place: Place, tmp_path: Path) -> None:
    wheel, body = build_wheel("w", "1.0")
    (place.folder / wheel).write_bytes(body)
    (place.folder / "index.html").write_bytes(b"")
    (place.folder / "README").write_bytes(b"Ours")
    done = place.take("--report", tmp_path / "report.jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    summary, *rest = done.stderr.splitlines()
    assert re.fullmatch(r"Imported into alice: 1 file, \d+ bytes, in \d+\.\d s \(\d+ files a second\)\.", summary)
    assert rest == ["Skipped: 2 files.", "  indexes, signatures and sidecars: 1", "  no packages: 1", "    README"]
    *told, end = lines(tmp_path / "report.jsonl")
    assert {line["file"]: line["outcome"] for line in told} == {wheel: "imported", "index.html": "skipped", "README": "skipped"}
    [one] = [line for line in told if line["file"] == wheel]
    assert (one["type"], one["path"], one["size"], one["labels"]) == ("pypi", wheel, len(body), ["main"])
    assert end == {"summary": {"imported": 1, "already there": 0, "skipped": 2, "refused": 0, "dry run": False, "whole": True}}
    again = place.take("--report", "-")
    assert again.returncode == 0
    assert json.loads(again.stdout.splitlines()[-1])["summary"]["already there"] == 1
    assert "Already there: 1 file." in again.stderr
    assert place.entrepot("check").returncode == 0


def test_what_is_refused_is_listed_with_its_reason_and_the_exit_code_says_so(place: Place) -> None:
    for number in range(12):
        (place.folder / f"broken{number}-1.0-py3-none-any.whl").write_bytes(b"broken")
    (place.folder / "x\x1b[31m-1.0-0.conda").write_bytes(b"broken")
    (place.folder / "away-1.0-0.conda").symlink_to("/etc/passwd")
    done = place.take()
    assert (done.returncode, done.stdout) == (1, "")
    assert "Refused: 14 files." in done.stderr
    assert "  not acceptable: 13" in done.stderr
    assert "    … and 3 more (--report FILE writes all)" in done.stderr
    assert "    away-1.0-0.conda: It is a link that leads out of the folder." in done.stderr
    assert "\x1b" not in done.stderr


def test_a_dry_run_says_that_it_is_one(place: Place) -> None:
    place.fill(1)
    done = place.take("--dry-run")
    assert done.returncode == 0
    assert done.stderr.startswith("Would import into alice: 1 file, ")
    assert place.take().stderr.startswith("Imported into alice: 1 file, ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--namespace", "bob"], "There is no namespace bob. Create it first, with the user that owns it: entrepot user create bob"),
        (["--report", "/nonexistent/r"], "The report cannot be written to /nonexistent/r: No such file or directory."),
    ],
)
def test_what_cannot_be_is_one_sentence(place: Place, arguments: list[str], sentence: str) -> None:
    place.fill(1)
    done = place.take(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


@contextmanager
def running(place: Place, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """An import that runs; its report comes line by line on standard output."""
    command = place.command("import", place.folder, "--namespace", "alice", "--report", "-", *arguments)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=place.environment, cwd=place.data.parent
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def some(process: subprocess.Popen[str], count: int) -> set[str]:
    """The first files that a running import tells of."""
    assert process.stdout is not None
    return {json.loads(process.stdout.readline())["file"] for _ in range(count)}


def test_kill_9_in_the_middle_loses_nothing_and_the_next_run_ends_what_it_began(place: Place, tmp_path: Path) -> None:
    names = place.fill(FILES)
    before: set[str] = set()
    for _ in range(2):
        with running(place) as process:
            told = some(process, len(before) + 20)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        before |= told
    done = place.take("--report", tmp_path / "report.jsonl")
    assert done.returncode == 0, done.stderr
    *rest, end = lines(tmp_path / "report.jsonl")
    present = {line["file"] for line in rest if line["outcome"] == "already there"}
    assert before <= present
    assert len(present) < FILES
    assert {line["file"] for line in rest} == names
    assert end["summary"]["refused"] == 0
    checked = place.entrepot("check")
    assert checked.returncode == 0, checked.stdout
    assert f"files: {FILES}," in checked.stderr
    with serving(place.data, environment=place.environment) as server:
        assert {f"noarch/{name}" for name in httpx.get(f"{server.url}/conda/alice/noarch/repodata.json").json()["packages.conda"]} == names


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_with_the_report_so_far_and_says_how_to_go_on(place: Place, number: signal.Signals) -> None:
    place.fill(FILES)
    with running(place) as process:
        told = some(process, 10)
        process.send_signal(number)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 130
    *more, end = [json.loads(line) for line in rest.splitlines()]
    assert end["summary"]["whole"] is False
    assert end["summary"]["imported"] == len(told) + len(more) < FILES
    assert said.startswith("Imported into alice: ")
    assert said.endswith("The import was interrupted. Run the same command again to go on: what is there already is passed over.\n")
    again = place.take()
    assert again.returncode == 0
    assert f"Already there: {end['summary']['imported']} files." in again.stderr
    assert place.entrepot("check").returncode == 0


def test_a_server_that_runs_beside_it_takes_uploads_and_shows_each_file_at_once(place: Place) -> None:
    names = place.fill(FILES)
    token = place.entrepot("token", "create", "alice", "--name", "t").stdout.strip()
    with serving(place.data, environment=place.environment) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        uploaded: list[int] = []

        def upload() -> None:
            for number in range(20):
                basename, body = build_conda("p1", f"2.{number}")
                answer = httpx.put(f"{server.url}/upload/alice/{basename}", content=body, headers={"Authorization": f"Bearer {token}"}, timeout=60)
                uploaded.append(answer.status_code)

        thread = threading.Thread(target=upload)
        thread.start()
        with running(place) as process:
            assert process.stdout is not None
            for line in process.stdout:
                told = json.loads(line)
                if "file" in told and told["path"].endswith(("7-0.conda", "3-0.conda")):
                    assert told["outcome"] == "imported"
                    assert told["path"].removeprefix("noarch/") in http.get("/conda/alice/noarch/repodata.json").json()["packages.conda"]
            assert process.wait(60) == 0
        thread.join()
        assert uploaded == [201] * 20
        shown = http.get("/conda/alice/noarch/repodata.json").json()["packages.conda"]
        assert len(shown) == len(names) + 20
    assert place.entrepot("check").returncode == 0


def on_a_terminal(place: Place) -> tuple[int, bytes]:
    """Import with a terminal for what people see; what it showed."""
    mine, theirs = pty.openpty()
    command = place.command("import", place.folder, "--namespace", "alice")
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env={**place.environment, "TERM": "xterm", "COLUMNS": "120"}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(mine, 4096)
        except OSError:  # the other end is closed
            break
        shown += piece
        if not piece:
            break
    os.close(mine)
    return process.wait(60), shown


def test_on_a_terminal_a_bar_runs_to_the_end_and_goes(place: Place) -> None:
    place.fill(30)
    code, shown = on_a_terminal(place)
    assert code == 0
    assert b"Importing" in shown
    assert re.search(rb"\d+/30 files", shown)
    assert b"Imported into alice: 30 files, " in shown.rpartition(b"Importing")[2]
