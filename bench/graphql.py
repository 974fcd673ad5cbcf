"""A page of 50 packages with 10 files each, by GraphQL: beside the same query on objects that are there already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import load
from bench.ground import GROUNDS, Ground
from bench.rates import Lane
from bench.server import Process, module, site
from bench.table import Table

PACKAGES, FILES = 50, 10
STOCK = 10_000
"""Files on the site; a page must find its own among them."""
QUERY = f"""{{ packages(first: {PACKAGES}) {{ nodes {{
    name files(first: {FILES}) {{ nodes {{ basename version size sha256 }} }}
}} }} }}"""


def measure(*, quick: bool, grounds: Iterable[Callable[[], AbstractContextManager[Ground]]] = GROUNDS.values()) -> list[Table]:
    """Both take turns."""
    rounds, seconds, stock = (3, 0.3, 1_000) if quick else (11, 0.5, STOCK)
    title = f"GraphQL, {PACKAGES} packages × {FILES} files"
    table = Table(title, "what", "database", "connections", "per second", "objects", "CPU ms", "objects CPU ms", "CPU ratio", "database CPU ms")
    for made in grounds:
        with made() as ground, site(ground) as one:
            one.stock(stock)
            with one.serving() as server:
                asked = question(QUERY)
                answer = server.client.post("/graphql", json={"query": QUERY}).raise_for_status()
                with objects(answer.json()["data"]["packages"]["nodes"]) as peer:
                    for connections in (1, 8):
                        full, bare = Lane(server, [asked]), Lane(peer, [asked])
                        for _ in range(rounds):
                            for lane in (full, bare):
                                lane.run(connections, seconds)
                        row = full.rate, bare.rate, full.cpu / 1e3, bare.cpu / 1e3, full.cpu / bare.cpu
                        database = full.database_cpu / 1e3 if ground.process else ""
                        table.add(f"{len(answer.content):,} bytes", ground.title, connections, *row, database)
    table.note(f"Of {stock:,} files. Objects: the same schema library on the same answer as plain objects in memory, by the same HTTP server.")
    table.note("Budget: at most 2 × the CPU of the query on objects.")
    return [table]


def question(query: str) -> bytes:
    """The request of a query."""
    return load.request("POST", "/graphql", {"Content-Type": "application/json"}, json.dumps({"query": query}).encode())


@contextmanager
def objects(packages: list[dict[str, Any]]) -> Iterator[Process]:
    """Serve the packages of an answer from memory; they must make the same answer."""
    with TemporaryDirectory() as folder:
        Path(folder, "packages.json").write_text(json.dumps(packages))
        with module("bench.objects", folder) as peer:
            yield peer
