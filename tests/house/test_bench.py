"""The bench measures what it says: its own parts, against a server that is known."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from entrepot.registry import Registry

from bench import load
from bench.__main__ import SECTIONS
from bench.conda.loop import TICKING, ticks
from bench.graphql import QUERY, objects
from bench.packages import conda, wheel, write_wheel
from bench.publish import CHANNEL
from bench.pypi import pages, rivals, uploads
from bench.pypi.fields import Field
from bench.pypi.rivals import ours
from bench.pypi.scale import QUICK
from bench.server import COMMAND, Entrepot, Process, peer, run, site
from bench.table import Table
from bench.ticking import INTERVAL

BODY = b"x" * 100_000


@pytest.fixture(scope="module")
def bare() -> Iterator[Process]:
    with peer(BODY, {"content-type": "text/plain"}) as process:
        yield process


@pytest.mark.parametrize("connections", [1, 4])
def test_each_request_is_sent_and_counted_once(bare: Process, connections: int) -> None:
    outcome = load.send(bare.port, [load.request("GET", "/")] * 25, connections=connections)
    assert (outcome.count, dict(outcome.statuses), outcome.failures) == (25, {200: 25}, [])


def test_a_rate_of_errors_is_no_rate(bare: Process) -> None:
    outcome = load.send(bare.port, [load.request("GET", "/"), load.request("GET", "/elsewhere")], connections=1)
    with pytest.raises(SystemExit, match="404"):
        outcome.expect(200)


def test_work_of_the_server_shows_in_its_cpu_and_memory(bare: Process) -> None:
    before = bare.cpu
    load.send(bare.port, [load.request("GET", "/")] * 200, connections=4)
    assert 0 < bare.cpu - before < 60
    assert bare.memory("VmHWM") >= bare.memory("VmRSS") > 5


def test_a_table_aligns_its_columns() -> None:
    table = Table("T", "what", "rate")
    table.add("a", 1234.5)
    table.add("longer", 0.5)
    assert str(table).splitlines()[2:6] == ["| what   |  rate |", "|--------|------:|", "| a      | 1,234 |", "| longer |  0.50 |"]


@pytest.mark.parametrize("make", [wheel, conda])
def test_packages_of_two_versions_differ(make: object) -> None:
    assert callable(make)
    (first, one), (second, two) = make("x", "1.0"), make("x", "2.0")
    assert first != second
    assert one != two


def test_a_large_wheel_is_one_that_the_server_takes(tmp_path: Path) -> None:
    path = tmp_path / "large-1.0-py3-none-any.whl"
    write_wheel(path, "large", "1.0", 3 << 20)
    assert path.stat().st_size > 3 << 20
    with path.open("rb") as file:
        found = Registry.built_in().types["pypi"].inspect(file, path.name)
    assert (found.name, found.version) == ("large", "1.0")


def test_a_body_is_received_whole_or_not_at_all(bare: Process) -> None:
    assert load.receive(bare.port, load.request("GET", "/"), len(BODY), times=3) > 0
    with pytest.raises(SystemExit, match="Expected 200 and 99 bytes"):
        load.receive(bare.port, load.request("GET", "/"), 99)
    with pytest.raises(SystemExit, match="404"):
        load.receive(bare.port, load.request("GET", "/elsewhere"), len(BODY))


@pytest.fixture(scope="module")
def stocked() -> Iterator[Entrepot]:
    with site() as one:
        one.stock(60)
        run([*COMMAND, "check"], environment=one.environment)  # which fails if a row, an entry or a blob is not as it should be
        with one.serving(*TICKING) as server:
            yield server


def test_a_stocked_site_is_as_if_each_file_had_been_uploaded_and_its_loop_ticks(stocked: Entrepot) -> None:
    stocked.upload([conda("stock3", "2.0")], connections=1)
    channel = stocked.get(f"{CHANNEL}/repodata.json").json()
    assert len(channel["packages.conda"]) == 61
    assert {name.split("-")[0] for name in channel["packages.conda"]} == {f"stock{at}" for at in range(6)}
    stock, uploaded = channel["packages.conda"]["stock3-1.9-py_0.conda"], channel["packages.conda"]["stock3-2.0-py_0.conda"]
    assert stock.keys() > uploaded.keys()
    assert len(json.dumps(stock)) > 400
    found = ticks(stocked)
    assert found.total > 0
    assert found.worst >= INTERVAL


def test_the_section_of_pypi_measures_a_server_by_its_uploads_pages_and_files(stocked: Entrepot, tmp_path: Path) -> None:
    """The peers are left to the bench itself: devpi-server takes half a minute to start."""
    rival = ours(stocked, 0.5)
    rival.upload(list(rivals.stock(20)), connections=2)
    assert [Path(path).name for path in rival.files("package1")] == [f"package1-1.{at}-py3-none-any.whl" for at in range(10)]
    field, table = Field([rival], tmp_path, None), Table("T", "what", *pages.HEADINGS)
    for title, paths, accept in pages.documents(field):
        pages.compare(table, title, 20, field, paths, accept, QUICK)
    for title, paths in pages.downloads(field):
        pages.compare(table, title, 20, field, paths, "*/*", QUICK)
    assert [(row[0], row[1], row[3]) for row in table.rows[1:]] == [
        (title, "Entrepot", connections)
        for title in ("root, JSON", "project of ten files, JSON", "root, HTML", "project of ten files, HTML", "wheel of 1 kB", "wheel of 10 MB")
        for connections in ("1", "32")
    ]
    assert all(float(row[4].replace(",", "")) > 0 for row in table.rows[1:])
    assert min(*pages.first(rival, rival.root, 1), *pages.first(rival, rival.page("package1"), 1)) > 0
    ((rate, cpu),) = uploads.turns([rival], 2, QUICK).values()
    assert min(rate, cpu) > 0


@pytest.mark.parametrize("connections", [1, 3])
def test_answers_in_chunks_are_counted_on_new_connections_where_the_server_closes_the_old(connections: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    accepted = []

    def answer(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    asked = connection.recv(65536)
                    accepted.append(bool(asked))
                    for piece in (head, b"3\r\nabc\r\n0\r\n", b"\r\n") if asked else ():
                        connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        outcome = load.send(listening.getsockname()[1], [load.request("GET", "/")] * 10, connections=connections)
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(30)
    assert (outcome.count, dict(outcome.statuses), outcome.failures) == (10, {200: 10}, [])
    assert accepted.count(True) == 10


def test_objects_answer_the_query_as_the_site_that_they_stand_in_for() -> None:
    nodes = [{"name": "x", "files": {"nodes": [{"basename": "x-1.whl", "version": "1", "size": 1 << 40, "sha256": "0" * 64}]}}]
    with objects(nodes) as peer_of_ours:
        answer = httpx.post(f"http://127.0.0.1:{peer_of_ours.port}/graphql", json={"query": QUERY}).raise_for_status()
    assert answer.json() == {"data": {"packages": {"nodes": nodes}}}


def test_the_page_of_measurements_names_the_command_and_every_section() -> None:
    text = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    assert "python -m bench" in text
    assert [name for name in SECTIONS if f"`{name}`" not in text] == []
