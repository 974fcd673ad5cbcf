"""A disk that fills up while an upload is spooled, stored or recorded: 503 with a sentence, nothing left, and all is well when there is room again.

The disk is a small tmpfs in a mount namespace of the server's own, so the test needs no privilege but the one to make user namespaces.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from entrepot_process import COMMAND, serving
from ground import laid
from pypi_builder import build_wheel

from .conftest import Depot, prepare

MOUNT = 'mount -t tmpfs -o size=16m tmpfs "$0" && cp -a "$1/." "$0" && shift 1 && exec "$@"'

QUERY = "import json, sqlite3, sys; print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))"


class SmallDisk(Depot):
    """A depot whose data folder is a disk of its own, which only its processes see."""

    @property
    def server(self) -> int:
        return self.running.process.pid

    @property
    def inside(self) -> Path:
        """The data folder as the server sees it."""
        return Path(str(self.data).removeprefix(f"/proc/{self.server}/root"))

    def enter(self, *command: str) -> str:
        """Run a command where the server runs."""
        enter = ["nsenter", "-t", str(self.server), "-U", "-m", "--preserve-credentials", "--"]
        return subprocess.run([*enter, *command], check=True, text=True, stdout=subprocess.PIPE).stdout

    def resize(self, options: str) -> None:
        """Make the disk smaller or larger, in bytes or in the number of files."""
        self.enter("mount", "-o", f"remount,{options}", str(self.inside))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """See Depot. SQLite would resolve the way into the other namespace, and miss it."""
        found = self.enter(sys.executable, "-c", QUERY, str(self.inside / "entrepot.sqlite3"), statement)
        return [tuple(row) for row in json.loads(found)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with laid("folder") as ground:
        template = ground.data(tmp_path / "template")
        tokens = asyncio.run(prepare(template))
        data = tmp_path / "data"
        data.mkdir()
        prefix = ["unshare", "-Urm", "sh", "-c", MOUNT, str(data), str(template)]
        with serving(data, command=[*prefix, *COMMAND]) as running:
            yield SmallDisk(running, Path(f"/proc/{running.process.pid}/root{data}"), ground, tokens)


def free(disk: SmallDisk) -> int:
    found = os.statvfs(disk.data)
    return found.f_bavail * found.f_frsize


def test_a_disk_that_is_full_at_any_moment_of_an_upload_is_503_and_leaves_nothing(small_disk: SmallDisk) -> None:
    basename, body = build_wheel("ball", "1.0", files={"ball.bin": os.urandom(300_000)})
    ballast = small_disk.data / "ballast"
    statuses = []
    for room in range(0, 1_500_000, 48_000):
        ballast.unlink(missing_ok=True)
        ballast.write_bytes(bytes(free(small_disk) - room))
        response = small_disk.put(basename, body)
        statuses.append(response.status_code)
        if response.status_code == 201:
            break
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        detail = response.json()["detail"]
        assert detail.startswith(("The server's disk is full", "The database is busy or cannot be written to"))
        ballast.unlink()
        assert small_disk.left() == {}
    assert statuses[0] == 503
    assert statuses[-1] == 201
    assert httpx.get(f"{small_disk.running.url}/pypi/alice/files/{basename}").content == body


def test_a_disk_that_takes_no_more_files_is_503_until_it_does(small_disk: SmallDisk) -> None:
    basename, body = build_wheel("ball", "1.0")
    found = os.statvfs(small_disk.data)
    used = found.f_files - found.f_ffree
    statuses = []
    for more in range(12):
        small_disk.resize(f"nr_inodes={used + more}")
        response = small_disk.put(basename, body)
        statuses.append(response.status_code)
        if response.status_code == 201:
            break
        assert response.json()["detail"].startswith(("The server's disk is full", "The database is busy or cannot be written to"))
        assert small_disk.left() == {}
    assert statuses[0] == 503
    assert statuses[-1] == 201
    assert len(statuses) > 2


def test_a_body_that_is_larger_than_the_disk_is_503_while_it_comes_in(small_disk: SmallDisk) -> None:
    for _ in range(3):
        response = small_disk.put("ball-1.0-py3-none-any.whl", bytes(40 << 20))
        assert response.status_code == 503
        assert "The server's disk is full; nothing was stored." in response.json()["detail"]
        assert small_disk.left() == {}
    assert small_disk.put(*build_wheel("ball", "1.0")).status_code == 201
