"""Conda channels of many sizes: what a publish costs until it is shown, how fast documents are sent, uploads, a crowd, and the peers beside it."""

from __future__ import annotations

from bench.conda import answers, crowd, filling, loop, peers, serving
from bench.conda.scale import FULL, QUICK
from bench.conda.stocks import Stocks
from bench.section import Section

SECTION = Section(
    name="conda",
    title="conda channels on this machine.",
    parts={
        "answers": answers.measure,
        "loop": loop.measure,
        "peers": peers.measure,
        "uploads": filling.measure,
        "rates": serving.measure,
        "crowd": crowd.measure,
    },
    shared=Stocks,
    full=FULL,
    quick=QUICK,
    sizes="records of the channels",
    counts={"indexed": "the largest channel that conda-index is given, which takes minutes at 100,000"},
)
