"""Answers per second of what installers ask for, beside a bare Starlette route that answers the same bytes, headers included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import median

import msgpack
import zstandard

from bench import load
from bench.ground import GROUNDS, Ground
from bench.packages import conda, wheel
from bench.server import NAMESPACE, SQLITE, Entrepot, Process, entrepot, peer
from bench.table import Table

PACKAGES, RELEASES = 20, 20
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked for: one URL, or several in turn."""

    title: str
    paths: Sequence[str]
    accept: str = "*/*"
    elsewhere: bool = True
    """Whether it is asked of PostgreSQL too, or of SQLite alone."""


@dataclass(slots=True)
class Lane:
    """One way to ask one server, and what came of it so far."""

    server: Process
    requests: Sequence[bytes]
    status: int = 200
    rates: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    database_cpus: list[float] = field(default_factory=list)

    def run(self, connections: int, seconds: float) -> None:
        """One round."""
        ground = self.server.ground if isinstance(self.server, Entrepot) else SQLITE
        before, database = self.server.cpu, ground.cpu
        outcome = load.repeat(self.server.port, self.requests, connections=connections, seconds=seconds).expect(self.status)
        self.rates.append(outcome.rate)
        self.cpus.append((self.server.cpu - before) / outcome.count * 1e6)
        self.database_cpus.append((ground.cpu - database) / outcome.count * 1e6)

    def forget(self) -> None:
        """Leave out what came of it so far: the rounds that warm a server."""
        for figures in (self.rates, self.cpus, self.database_cpus):
            figures.clear()

    @property
    def rate(self) -> float:
        """Answers per second."""
        return median(self.rates)

    @property
    def cpu(self) -> float:
        """Microseconds of the server's CPU for one answer."""
        return median(self.cpus)

    @property
    def database_cpu(self) -> float:
        """Microseconds of the database's own CPU for one answer."""
        return median(self.database_cpus)


HEADINGS = ("what", "database", "connections", "per second", "bare route", "ratio", "CPU µs", "bare CPU µs", "CPU ratio")


def measure(*, quick: bool, grounds: Iterable[Callable[[], AbstractContextManager[Ground]]] = GROUNDS.values()) -> list[Table]:
    """Each subject at one connection and at 32."""
    table = Table("Answers", *HEADINGS, "database CPU µs", "304 per second", "304 / full")
    rounds, seconds = (3, 0.1) if quick else (11, 0.2)
    for made in grounds:
        with made() as ground, entrepot(ground) as server:
            server.upload(wheel(f"package{at // RELEASES}", f"1.{at % RELEASES}") for at in range(PACKAGES * RELEASES))
            server.upload(conda(f"package{at // RELEASES}", f"1.{at % RELEASES}") for at in range(PACKAGES * RELEASES))
            for subject in subjects(server):
                if subject.elsewhere or ground.process is None:
                    for connections in (1, 32):
                        table.add(*compare(server, subject, connections, rounds, seconds))
    table.note("The bare route answers the same headers and body. Ours, it and the 304 take turns; each figure is the median of the rounds.")
    table.note("CPU is the server's, for one answer. On a machine that others use, the CPU ratio (bare by ours) is the steadier of the two.")
    table.note("Budget of index documents: 0.85 × the bare route at one connection (PostgreSQL: 0.4), 0.9 × at 32; a 304 1.1 × the full answer.")
    return [table]


def compare(server: Entrepot, subject: Subject, connections: int, rounds: int, seconds: float) -> Sequence[str | float]:
    """A row: the rounds of the three lanes alternate, so that a slow moment of the machine hits all of them."""
    answers = [server.get(path, accept=subject.accept) for path in subject.paths]
    asked = {"Accept": subject.accept}
    paths = [answer.request.url.raw_path.decode() for answer in answers]  # without `..` or `./`, as a client sends them
    full = Lane(server, [load.request("GET", path, asked) for path in paths])
    etags = zip(paths, (answer.headers["etag"] for answer in answers), strict=True)
    unchanged = Lane(server, [load.request("GET", path, {**asked, "If-None-Match": etag}) for path, etag in etags], 304)
    headers = {name: value for name, value in answers[0].headers.items() if name != "date"}
    with peer(answers[0].content, headers) as process:
        bare = Lane(process, [load.request("GET", "/", asked)])
        for _ in range(rounds):
            for lane in (full, bare, unchanged):
                lane.run(connections, seconds)
    title = f"{subject.title}, {len(answers[0].content):,} bytes"
    return (
        title,
        server.ground.title,
        connections,
        full.rate,
        bare.rate,
        full.rate / bare.rate,
        full.cpu,
        bare.cpu,
        bare.cpu / full.cpu,
        full.database_cpu if server.ground.process else "",
        unchanged.rate,
        unchanged.rate / full.rate,
    )


def subjects(server: Entrepot) -> Iterator[Subject]:
    """Index documents first, then files."""
    pypi, channel = f"/pypi/{NAMESPACE}/simple", f"/conda/{NAMESPACE}/noarch"
    yield Subject("project page, JSON", [f"{pypi}/package1/"], JSON)
    yield Subject("project page, HTML", [f"{pypi}/package1/"], "text/html", elsewhere=False)
    yield Subject("20 project pages in turn, JSON", [f"{pypi}/package{at}/" for at in range(PACKAGES)], JSON)
    yield Subject("repodata.json.zst", [f"{channel}/repodata.json.zst"])
    yield Subject("shard index", [f"{channel}/repodata_shards.msgpack.zst"])
    yield Subject("shard", [f"{channel}/{shard(server, channel)}"])
    wheels = [url for at in range(PACKAGES) for url in files(server, f"{pypi}/package{at}/")]
    yield Subject("wheel", wheels[:1], elsewhere=False)
    yield Subject("400 wheels in turn", wheels)
    yield Subject(".metadata of a wheel", [f"{wheels[0]}.metadata"], elsewhere=False)
    yield Subject("400 .metadata in turn", [f"{url}.metadata" for url in wheels])
    yield Subject("conda package", [f"{channel}/package1-1.1-py_0.conda"], elsewhere=False)


def files(server: Entrepot, page: str) -> list[str]:
    """The paths of the files that a project page links to."""
    answer = server.get(page, accept=JSON)
    return [answer.url.join(file["url"]).path for file in answer.json()["files"]]


def shard(server: Entrepot, channel: str) -> str:
    """The address of a shard, from the shard index (CEP 16)."""
    index = msgpack.unpackb(zstandard.decompress(server.get(f"{channel}/repodata_shards.msgpack.zst").content))
    return f"{index['info']['shards_base_url']}{index['shards']['package1'].hex()}.msgpack.zst"
