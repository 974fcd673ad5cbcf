"""Clients that use a server without a pause, and what they were answered."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx
from conda_builder import build_conda

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


def assert_all_there(url: str, load: Load) -> None:
    """Everything that was answered 201 is in the index, with its bytes."""
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as client:
        index = client.get("/conda/alice/noarch/repodata.json").json()
        listed = {name: record["sha256"] for name, record in {**index["packages"], **index["packages.conda"]}.items()}
        assert load.answered.items() <= listed.items()
        for basename, digest in list(load.answered.items())[::7]:
            assert hashlib.sha256(client.get(f"/conda/alice/noarch/{basename}").content).hexdigest() == digest
