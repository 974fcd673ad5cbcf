"""The server process: its start, its workers, its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from entrepot_process import Running, eventually
from ground import Ground, on_folder
from pypi_builder import build_wheel

if TYPE_CHECKING:
    from .conftest import Entrepot, Serve

BASENAME, WHEEL = build_wheel("harbour", "1.0")

workers = pytest.mark.parametrize("workers", [1, 2])


def answers(server: Running) -> bool:
    """Whether the server answers a request at all."""
    try:
        return httpx.get(f"{server.url}/nobody/nothing").status_code == 404
    except httpx.TransportError:
        return False


class SlowUpload:
    """An upload that the server has begun to read, and that waits for the test to go on."""

    def __init__(self, server: Running, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        head = f"PUT /upload/alice/{BASENAME} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(WHEEL)}\r\n\r\n".encode())
        assert self._socket.recv(4096).startswith(b"HTTP/1.1 100 ")
        self._socket.sendall(WHEEL[:100])

    def finish(self) -> bytes:
        """Send the rest; the whole answer."""
        self._socket.sendall(WHEEL[100:])
        return self.rest()

    def rest(self) -> bytes:
        """What the server still says until it closes the connection."""
        answer = b""
        with self._socket:
            while piece := self._socket.recv(65536):
                answer += piece
        return answer


def test_without_a_user_the_server_says_how_to_create_one(ground: Ground, serve: Serve, data: Path) -> None:
    server = serve()
    assert server.process.stdout is not None
    said = [server.process.stdout.readline().strip() for _ in range(3)]
    assert said[1:] == [f"entrepot user create NAME --admin --data {data}", f"entrepot token create NAME --name laptop --data {data}"]
    assert (data / "entrepot.sqlite3").is_file() == ground.is_folder


def test_a_user_and_a_token_made_while_the_server_runs_work_at_once(serve: Serve, entrepot: Entrepot, data: Path) -> None:
    server = serve()
    assert entrepot("user", "create", "alice", "--data", data).returncode == 0
    created = entrepot("token", "create", "alice", "--name", "laptop", "--data", data)
    headers = {"Authorization": f"Bearer {created.stdout.strip()}"}
    answer = httpx.put(f"{server.url}/upload/alice/{BASENAME}", content=WHEEL, headers=headers)
    assert answer.status_code == 201, answer.text
    assert "server" not in answer.headers
    assert httpx.get(answer.json()["url"]).content == WHEEL
    checked = entrepot("check", "--data", data, environment={"ENTREPOT_PLUGINS": "conda,pypi"})
    assert (checked.returncode, checked.stdout) == (0, "")
    assert "files: 1, blobs: 2" in checked.stderr


@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_a_signal_stops_the_server_and_leaves_no_process(serve: Serve, with_alice: Path, workers: int, number: signal.Signals) -> None:
    server = serve("--workers", workers)
    assert answers(server)
    assert len(server.processes) == (1 if workers == 1 else 1 + workers)
    server.process.send_signal(number)
    assert server.process.wait(20) == 0
    assert server.processes == set()
    assert not answers(server)


def test_ctrl_c_reaches_every_process_and_still_stops_gracefully(serve: Serve, token: str) -> None:
    server = serve("--workers", 2)
    upload = SlowUpload(server, token)
    os.killpg(server.process.pid, signal.SIGINT)
    assert upload.finish().startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(20) == 0
    assert server.processes == set()


@workers
def test_an_upload_in_flight_is_finished_before_the_server_stops(serve: Serve, token: str, workers: int) -> None:
    server = serve("--workers", workers)
    upload = SlowUpload(server, token)
    server.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(0.5)
    assert upload.finish().startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(20) == 0


@workers
def test_an_upload_that_does_not_end_is_cut_off_after_the_grace(serve: Serve, token: str, workers: int) -> None:
    server = serve("--workers", workers, environment={"ENTREPOT_SHUTDOWN_GRACE": "1"})
    upload = SlowUpload(server, token)
    server.process.terminate()
    assert server.process.wait(20) == 0
    assert not upload.rest().startswith(b"HTTP/1.1 2")
    assert server.processes == set()


@workers
def test_a_second_signal_ends_the_server_at_once(serve: Serve, token: str, workers: int) -> None:
    server = serve("--workers", workers)
    SlowUpload(server, token)

    def ended_by_another_signal() -> bool:
        server.process.terminate()
        return server.process.poll() is not None

    eventually(ended_by_another_signal, seconds=10)
    eventually(lambda: server.processes == set())


def test_workers_end_when_their_parent_is_killed(serve: Serve, with_alice: Path) -> None:
    server = serve("--workers", 2)
    assert len(server.processes) == 3
    server.process.kill()
    eventually(lambda: server.processes == set())
    assert not answers(server)


def test_a_worker_that_dies_is_replaced(serve: Serve, with_alice: Path) -> None:
    server = serve("--workers", 2)
    before = server.processes - {server.process.pid}
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: len(server.processes - {server.process.pid} - before) == 1)
    assert answers(server)
    server.process.terminate()
    assert server.process.wait(20) == 0


def test_a_port_that_is_taken_is_one_sentence(serve: Serve, with_alice: Path, entrepot: Entrepot) -> None:
    server = serve()
    done = entrepot("serve", "--data", with_alice, "--port", server.port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"The server cannot listen on 127.0.0.1 port {server.port}: Address already in use. Choose another port with --port.\n"


def test_an_address_of_another_machine_is_one_sentence(entrepot: Entrepot, data: Path) -> None:
    done = entrepot("serve", "--data", data, "--host", "192.0.2.1")
    assert done.returncode == 1
    assert done.stderr.startswith("The server cannot listen on 192.0.2.1 port 8080: ")


def test_a_data_folder_that_cannot_be_is_one_sentence(entrepot: Entrepot, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = entrepot("serve", "--data", tmp_path / "file" / "data", "--port", 0)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"The folder {tmp_path / 'file' / 'data'} cannot be created: ")
    assert done.stderr.count("\n") == 1


@on_folder
def test_a_storage_that_cannot_be_is_one_sentence(entrepot: Entrepot, data: Path) -> None:
    data.mkdir()
    (data / "blobs").write_text("")
    done = entrepot("serve", "--data", data, "--port", 0)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Files cannot be stored in {data / 'blobs'}: Not a directory.\n"


def test_a_plugin_that_is_not_installed_stops_the_start(entrepot: Entrepot, data: Path) -> None:
    done = entrepot("serve", "--data", data, environment={"ENTREPOT_PLUGINS": "nonsense"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No plugin named 'nonsense' is installed.")
    assert not data.exists()
