"""A real S3 server on this machine: SeaweedFS in one process, with its own ports and data, which refuses what is not signed."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from sysconfig import get_path
from threading import Event
from typing import Any
from uuid import uuid4

from obstore.exceptions import BaseError
from obstore.store import S3Store

BUCKET = "depot"
KEY, SECRET = "entrepot-key", "entrepot-secret-that-nobody-may-see"
STRANGER = {"access_key_id": "stranger", "secret_access_key": "strangers-secret"}
"""The keys of somebody whom the server knows and who may do nothing."""
IDENTITIES = [
    {"name": "entrepot", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
    {"name": "stranger", "credentials": [{"accessKey": "stranger", "secretKey": "strangers-secret"}], "actions": ["Read:elsewhere"]},
]
SERVICES = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port.grpc", "s3.port")
UNTIL_PARENT_ENDS = '"$@" & cat; kill -9 $!'
"""Runs a command for as long as somebody holds the other end of standard input, however that one ends."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class ObjectStore:
    """One server. `start` and `kill` may take turns; the data and the ports stay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        (folder / "s3.json").write_text(json.dumps({"identities": IDENTITIES}))

    @property
    def endpoint(self) -> str:
        """Where S3 is spoken."""
        return f"http://127.0.0.1:{self.ports['s3.port']}"

    @property
    def options(self) -> dict[str, str]:
        """The setting `storage_options` of somebody who may do everything here."""
        return {"endpoint": self.endpoint, "region": "us-east-1", "access_key_id": KEY, "secret_access_key": SECRET}

    def place(self, **options: str) -> dict[str, Any]:
        """The settings that put an Entrepot's files below a prefix that nobody used yet."""
        return {"storage_url": f"s3://{BUCKET}/{uuid4().hex}", "storage_options": self.options | options}

    def environment(self) -> dict[str, str]:
        """`place` as variables. Files come through the server, for clients in a test's own process cannot follow a link out of it."""
        place = self.place()
        return {
            "ENTREPOT_STORAGE_URL": place["storage_url"],
            "ENTREPOT_STORAGE_OPTIONS": json.dumps(place["storage_options"]),
            "ENTREPOT_DOWNLOADS": "stream",
        }

    def client(self, prefix: str = "") -> S3Store:
        """A way in beside Entrepot's own."""
        config: Any = self.options
        return S3Store(BUCKET, prefix=prefix or None, config=config, client_options={"allow_http": True}, retry_config={"max_retries": 0})

    def start(self) -> None:
        """Start it, where it does not run; returns when it takes bytes."""
        if self._process is not None:
            return
        flags = {
            "dir": self.folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.telemetry": "false",
            "master.electionTimeout": "500ms",
            "master.resumeState": "false",
            "master.heartbeatInterval": "100ms",
            "master.volumeSizeLimitMB": 64,
            "volume.max": 0,
            "volume.preStopSeconds": 0,
            "volume.minFreeSpace": 0,
            "filer.localSocket": self.folder / "filer.sock",
            "s3.config": self.folder / "s3.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            **self.ports,
        }
        weed = [str(Path(get_path("scripts")) / "weed"), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in flags.items())]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", UNTIL_PARENT_ENDS, "sh", *weed],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # so that a signal reaches both
            )
        self._wait()

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + 60
        while True:
            try:
                self.client().put("started", b"started")  # makes the bucket too
                return
            except BaseError as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise AssertionError((self.folder / "log").read_text()[-5000:]) from error
            Event().wait(0.1)

    def kill(self) -> None:
        """End it at once, as a loss of power to its machine would."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
            self._process = None
        for socket_file in Path("/tmp").glob("seaweedfs-*.sock"):  # they are put there whatever one says
            if socket_file.stem.rpartition("-")[2] in {str(port) for port in self.ports.values()}:
                socket_file.unlink(missing_ok=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and never answers, as a machine does whose disk hangs."""
        self._signal(signal.SIGSTOP)
        while not self._stands_still():  # a signal is on its way for a while, on a busy machine for long
            Event().wait(0.01)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    @contextmanager
    def away(self) -> Iterator[None]:
        """It is gone, and comes back with its data, on the same port."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def _stands_still(self) -> bool:
        """Whether every thread of the server's processes is stopped."""
        assert self._process is not None
        threads = []
        for stat in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self._process.pid:
                    threads.append(state)
        return set(threads) <= {"T", "Z"}

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


@contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    """A server of one's own, to kill and to start again."""
    store = ObjectStore(folder)
    try:
        store.start()
        yield store
    finally:
        store.kill()


@cache
def shared_store() -> ObjectStore:
    """The one server of this process: started when it is first asked for, ended with the process."""
    folder = Path(tempfile.mkdtemp(prefix="entrepot-objects-"))
    store = ObjectStore(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(store.kill)
    store.start()
    return store
