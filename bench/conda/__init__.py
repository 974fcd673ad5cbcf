"""Conda channels of many sizes: what a publish costs until it is shown, how fast documents are sent, uploads, a crowd, and the peers beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bench.conda import answers, crowd, filling, loop, peers, serving
from bench.conda.scale import FULL, QUICK, Scale
from bench.conda.stocks import Stocks
from bench.table import Table

PARTS: Mapping[str, Callable[[Stocks, Scale], Sequence[Table]]] = {
    "answers": answers.measure,
    "loop": loop.measure,
    "peers": peers.measure,
    "uploads": filling.measure,
    "rates": serving.measure,
    "crowd": crowd.measure,
}


def measure(*, quick: bool) -> list[Table]:
    """All parts."""
    return measure_parts(QUICK if quick else FULL, list(PARTS))


def measure_parts(scale: Scale, names: Sequence[str]) -> list[Table]:
    """Some parts, one after the other, on sites that are filled once each."""
    with Stocks() as stocks:
        return [table for name in names for table in PARTS[name](stocks, scale)]
