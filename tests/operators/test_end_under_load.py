"""How a server ends while it is used: told to, killed, and with a worker killed; on both grounds nothing that was answered is lost."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import httpx
from conda_builder import build_conda
from entrepot_process import Running, eventually, session_of

if TYPE_CHECKING:
    from .conftest import Entrepot, Serve

CLIENTS = 8


@dataclass
class Load:
    """Clients that upload and read without a pause, until the server is gone or they are told to stop."""

    url: str
    token: str
    answered: dict[str, str] = field(default_factory=dict)
    """What was answered 201: the basename, and the digest of the bytes."""
    refused: list[str] = field(default_factory=list)
    """Answers that were neither 201 nor 200."""
    _over: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Under this load."""
        threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _work(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
            while not self._over.is_set():
                number = next(self._numbers)
                basename, body = build_conda(f"pkg{number % 5}", f"1.{number}", files={"share/data": os.urandom(2000)})
                try:
                    put = client.put(f"/upload/alice/{basename}", content=body)
                    if put.status_code == 201:
                        self.answered[basename] = hashlib.sha256(body).hexdigest()
                    got = client.get("/conda/alice/noarch/repodata.json")
                except httpx.TransportError:
                    if self._over.wait(0.05):
                        return
                    continue
                self.refused += [one.text for one in (put, got) if one.status_code >= 400]


def assert_all_there(server: Running, load: Load) -> None:
    """Everything that was answered 201 is in the index, with its bytes."""
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as client:
        index = client.get("/conda/alice/noarch/repodata.json").json()
        listed = {name: record["sha256"] for name, record in {**index["packages"], **index["packages.conda"]}.items()}
        assert load.answered.items() <= listed.items()
        for basename, digest in list(load.answered.items())[::7]:
            assert hashlib.sha256(client.get(f"/conda/alice/noarch/{basename}").content).hexdigest() == digest


def test_told_to_stop_under_load_it_finishes_what_it_took_and_refuses_nothing(serve: Serve, token: str, entrepot: Entrepot) -> None:
    server = serve(workers=2)
    with Load(server.url, token).running() as load:
        eventually(lambda: len(load.answered) >= 20, 60)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    assert server.processes == set()
    assert load.refused == []
    assert_all_there(serve(), load)
    entrepot("check")


def test_a_worker_that_is_killed_under_load_is_replaced_and_the_others_go_on(serve: Serve, token: str) -> None:
    server = serve(workers=2)
    with Load(server.url, token).running() as load:
        for _ in range(3):
            before = server.processes - {server.process.pid}
            seen = len(load.answered)
            eventually(lambda seen=seen: len(load.answered) >= seen + 5, 60)  # type: ignore[misc]
            os.kill(min(before), signal.SIGKILL)
            eventually(lambda before=before: len(server.processes - {server.process.pid} - before) == 1, 60)  # type: ignore[misc]
        seen = len(load.answered)
        eventually(lambda: len(load.answered) >= seen + 20, 60)
    assert load.refused == []
    assert_all_there(server, load)


def test_with_the_parent_killed_under_load_no_process_stays(serve: Serve, token: str, entrepot: Entrepot) -> None:
    server = serve(workers=2)
    with Load(server.url, token).running() as load:
        eventually(lambda: len(load.answered) >= 20, 60)
        os.kill(server.process.pid, signal.SIGKILL)
        eventually(lambda: not session_of(server.process.pid), 60)
    assert load.refused == []
    assert_all_there(serve(), load)
    entrepot("check")
