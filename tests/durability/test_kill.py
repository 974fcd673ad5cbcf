"""kill -9 in the middle of a hundred concurrent uploads: none that was answered 201 is lost, and no half one shows."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import threading
from pathlib import Path

import httpx
import msgpack
import pytest
import zstandard
from command import run_command
from conda_builder import build_conda
from entrepot_process import Running, eventually, process_environment, serving, session_of
from ground import Ground

CONNECTIONS = 100
UPLOADS = 400  # so many that the kill, which may come a little late, finds all connections at work


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def entrepot(data: Path, *arguments: str) -> str:
    done = run_command(*arguments, "--data", data, folder=data.parent, environment=process_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def packages(wave: str) -> dict[str, bytes]:
    """Small packages, and every tenth one of half a megabyte, so that a kill finds uploads in every stage."""
    return dict(
        build_conda(f"pkg{wave}{number % 10}", f"1.{number}", files={"share/data": os.urandom(1 << 19 if number % 10 == 0 else 100)})
        for number in range(UPLOADS)
    )


def kill_when_published(server: Running, ground: Ground, data: Path, count: int) -> None:
    """Watch the database, and kill every process of the server when so many files are in it: others are then in every stage of their upload."""
    while ground.rows(data, "SELECT count(*) FROM file")[0][0] < count:
        os.sched_yield()
    for process in session_of(server.process.pid):
        os.kill(process, signal.SIGKILL)


async def upload_until_killed(server: Running, ground: Ground, data: Path, token: str, files: dict[str, bytes], kill_after: int) -> set[str]:
    """Upload over many connections at once while the server is killed; answers what was answered 201."""
    answered: set[str] = set()
    waiting = list(files.items())

    async def put(client: httpx.AsyncClient) -> None:
        while waiting:
            basename, body = waiting.pop()
            try:
                answer = await client.put(f"/upload/alice/{basename}", content=body)
            except httpx.HTTPError:
                return
            assert answer.status_code == 201, answer.text
            answered.add(basename)

    killer = threading.Thread(target=kill_when_published, args=(server, ground, data, kill_after))
    killer.start()
    limits = httpx.Limits(max_connections=CONNECTIONS)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=120) as client:
        await asyncio.gather(*(put(client) for _ in range(CONNECTIONS)))
    killer.join()
    eventually(lambda: not session_of(server.process.pid))
    return answered


@pytest.mark.parametrize(("workers", "kill_after"), [(1, 1), (1, 37), (2, 60)])
def test_kill_9_in_the_middle_of_uploads_loses_nothing_that_was_answered(ground: Ground, data: Path, workers: int, kill_after: int) -> None:
    entrepot(data, "user", "create", "alice")
    token = entrepot(data, "token", "create", "alice", "--name", "t")
    files = packages("a")
    with serving(data, "--workers", workers) as server:
        answered = asyncio.run(upload_until_killed(server, ground, data, token, files, kill_after))
    with serving(data) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        shown = client.get("/conda/alice/noarch/repodata.json").json()["packages.conda"]
        assert answered <= shown.keys()
        assert kill_after <= len(shown) < UPLOADS, "the kill came too late to prove anything"
        for basename, record in shown.items():
            answer = client.get(f"/conda/alice/noarch/{basename}", follow_redirects=True)
            assert answer.status_code == 200, answer.text
            body = answer.content
            assert hashlib.sha256(body).hexdigest() == record["sha256"] == hashlib.sha256(files[basename]).hexdigest()
        assert shards(client) == shown.keys()
        # the same uploads may simply be sent again
        again = [
            client.put(f"/upload/alice/{name}", content=body, headers={"Authorization": f"Bearer {token}"}).status_code
            for name, body in files.items()
        ]
        assert again.count(200) == len(shown)
        assert again.count(201) == UPLOADS - len(shown)
        assert len(client.get("/conda/alice/noarch/repodata.json").json()["packages.conda"]) == UPLOADS
    entrepot(data, "check")


def shards(client: httpx.Client) -> set[str]:
    """The files that the shards of the channel name."""
    index = msgpack.unpackb(zstandard.decompress(client.get("/conda/alice/noarch/repodata_shards.msgpack.zst").content))
    found: set[str] = set()
    for digest in index["shards"].values():
        found |= msgpack.unpackb(zstandard.decompress(client.get(f"/conda/alice/noarch/shards/{digest.hex()}.msgpack.zst").content))[
            "packages.conda"
        ].keys()
    return found
