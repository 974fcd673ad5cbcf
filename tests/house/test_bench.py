"""The bench measures what it says: its own parts, against a server that is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load
from bench.packages import conda, wheel
from bench.server import Process, peer
from bench.table import Table

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


def test_the_page_of_measurements_names_the_command() -> None:
    assert "python -m bench" in (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
