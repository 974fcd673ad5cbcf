"""Numbers in memory that processes share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from entrepot.counters import LONGEST_NAME, SLOTS, Counter, Gauge, Histogram, board, shared_memory, totals


@pytest.fixture
def memory() -> Iterator[int]:
    """Memory for three workers; afterwards, this process counts for itself again."""
    handle = shared_memory(3)
    names = set(board.metrics)
    yield handle
    for name in set(board.metrics) - names:
        del board.metrics[name]
    board.use(None, 0, 1)
    os.close(handle)


def test_the_numbers_of_all_workers_are_added_up(memory: int) -> None:
    count = Counter("t_count", "", ("kind",))
    for worker in range(3):
        board.use(memory, worker, 3)
        count.add("a", by=worker + 1)
        count.add(f"only {worker}")
    assert totals()["t_count"] == {("a",): 6, ("only 0",): 1, ("only 1",): 1, ("only 2",): 1}


def test_whoever_takes_a_dead_workers_place_counts_on_but_begins_anew_with_how_it_stands(memory: int) -> None:
    count, gauge = Counter("t_count", ""), Gauge("t_gauge", "")
    board.use(memory, 1, 3)
    count.add(by=5)
    gauge.set(7)
    board.use(memory, 1, 3)
    count.add()
    assert totals()["t_count"] == {(): 6}
    assert totals()["t_gauge"] == {("1",): 0}


def test_a_histogram_counts_by_its_bounds_and_sums_up(memory: int) -> None:
    times = Histogram("t_times", "", ("kind",), (0.1, 1.0))
    board.use(memory, 0, 3)
    for seconds in (0.05, 0.1, 0.5, 2.0):
        times.observe(seconds, "a")
    assert totals()["t_times"] == {("a", "0.1"): 2, ("a", "1.0"): 1, ("a", "+Inf"): 1, ("a", "sum"): pytest.approx(2.65)}


def test_names_beyond_what_there_is_room_for_spoil_no_others(memory: int) -> None:
    count = Counter("t_count", "", ("label",))
    board.use(memory, 0, 3)
    for number in range(SLOTS + 10):
        count.add(str(number))
    count.add("x" * LONGEST_NAME)
    numbers = totals()["t_count"]
    assert len(numbers) == SLOTS - 1
    assert set(numbers.values()) == {1}


def test_labels_of_any_script_come_back_as_they_were(memory: int) -> None:
    count = Counter("t_count", "", ("label",))
    board.use(memory, 2, 3)
    count.add("Größe 大")
    assert totals()["t_count"] == {("Größe 大",): 1}
