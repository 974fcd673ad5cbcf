"""Channels with private packages: what a warm index costs for who reads them, and what the first reader of a set of them pays."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from bench import load
from bench.ground import GROUNDS, Ground
from bench.packages import conda, wheel
from bench.publish import CHANNEL
from bench.rates import JSON, Lane
from bench.server import COMMAND, NAMESPACE, Entrepot, entrepot, run
from bench.table import Table

PACKAGES, RELEASES, PRIVATE = 20, 20, 10
DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "shard index": (f"{CHANNEL}/repodata_shards.msgpack.zst", "*/*"),
    "repodata.json.zst": (f"{CHANNEL}/repodata.json.zst", "*/*"),
    "root list of projects, JSON": (f"/pypi/{NAMESPACE}/simple/", JSON),
}
COLLABORATOR = "reader"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks, by the credential."""

    title: str
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What a request says."""
        return {"Authorization": f"token {self.token}"} if self.token else {}


def measure(*, quick: bool, grounds: Iterable[Callable[[], AbstractContextManager[Ground]]] = GROUNDS.values()) -> list[Table]:
    """The same documents for everybody in turn, warm; then the first answers after a private publish."""
    warm = Table(
        f"Warm indexes of {PACKAGES} public and {PRIVATE} private packages",
        "what",
        "database",
        "reader",
        "per second",
        "CPU µs",
        "of the public rate",
    )
    first = Table("First answers after a private publish", "what", "database", "reader, in this order", "wall ms", "server CPU ms", "renders")
    rounds, seconds = (3, 0.1) if quick else (11, 0.2)
    for made in grounds:
        with made() as ground, entrepot(ground) as server:
            readers = stocked(server)
            for title, (path, accept) in DOCUMENTS.items():
                for row in rates(server, readers, path, accept, rounds, seconds):
                    warm.add(title, ground.title, *row)
                for row in firsts(server, readers, path, accept):
                    first.add(title, ground.title, *row)
    warm.note("One worker, 32 connections; the readers take turns, and each figure is the median of the rounds.")
    first.note("Readers of one set of private packages share what was rendered: whoever comes second renders nothing.")
    return [warm, first]


def stocked(server: Entrepot) -> Sequence[Reader]:
    """Fill a namespace, and give some of it to somebody."""
    server.upload(make(f"package{at // RELEASES}", f"1.{at % RELEASES}") for at in range(PACKAGES * RELEASES) for make in (conda, wheel))
    publish(server, (make(f"private{at}", "1.0") for at in range(PRIVATE) for make in (conda, wheel)), "?private=true")
    settings = {"data": str(server.data), **server.ground.settings}
    environment = {f"ENTREPOT_{name.upper()}": value for name, value in settings.items()}
    run([*COMMAND, "user", "create", COLLABORATOR], environment=environment)
    other = run([*COMMAND, "token", "create", NAMESPACE, "--name", "another"], environment=environment).strip()
    theirs = run([*COMMAND, "token", "create", COLLABORATOR, "--name", "theirs"], environment=environment).strip()
    package = ask(server, f'{{ package(namespace: "{NAMESPACE}", name: "private0") {{ id }} }}')["package"]["id"]
    ask(server, f'mutation {{ addCollaborator(input: {{packageId: "{package}", user: "{COLLABORATOR}"}}) {{ __typename }} }}')
    return (
        Reader("anonymous"),
        Reader("the owner", server.token),
        Reader("the owner, another token", other),
        Reader("a collaborator on one", theirs),
        Reader("the collaborator again", theirs),
    )


def publish(server: Entrepot, packages: Iterable[tuple[str, bytes]], query: str = "") -> None:
    """Upload packages, one after the other; each must be taken."""
    requests = [
        load.request("PUT", f"/upload/{NAMESPACE}/{name}{query}", {"Authorization": f"token {server.token}"}, body) for name, body in packages
    ]
    load.send(server.port, requests, connections=1).expect(201)


def ask(server: Entrepot, text: str) -> Any:
    """The data of a GraphQL answer to the owner."""
    answer = server.client.post("/graphql", json={"query": text}, headers={"Authorization": f"token {server.token}"}).raise_for_status().json()
    if "errors" in answer:
        raise SystemExit(str(answer["errors"]))
    return answer["data"]


def rates(
    server: Entrepot, readers: Sequence[Reader], path: str, accept: str, rounds: int, seconds: float
) -> Iterable[tuple[str, float, float, float]]:
    """A row for each credential."""
    lanes = {
        reader.title: Lane(server, [load.request("GET", path, {"Accept": accept, **reader.headers})])
        for reader in (readers[0], readers[1], readers[3])
    }
    for _ in range(rounds):
        for lane in lanes.values():
            lane.run(32, seconds)
    public = lanes[readers[0].title].rate
    return [(title, lane.rate, lane.cpu, lane.rate / public) for title, lane in lanes.items()]


published = iter(range(1_000_000))


def firsts(server: Entrepot, readers: Sequence[Reader], path: str, accept: str) -> Iterable[tuple[str, float, float, float]]:
    """A row for each reader, who come one after the other."""
    for reader in readers:
        server.get(path, accept=accept, **reader.headers)
    make = wheel if path.startswith("/pypi") else conda
    publish(server, [make("private0", f"2.{next(published)}")])
    for reader in readers:
        before, cpu, began = renders(server), server.cpu, time.perf_counter()
        server.get(path, accept=accept, **reader.headers)
        wall, used = time.perf_counter() - began, server.cpu - cpu
        yield reader.title, wall * 1e3, used * 1e3, renders(server) - before


def renders(server: Entrepot) -> int:
    """How many documents were rendered so far."""
    found = re.findall(r'^entrepot_renders_total\{[^}]*what="document"[^}]*\} (\S+)$', server.get("/metrics").text, re.MULTILINE)
    return int(sum(map(float, found)))
