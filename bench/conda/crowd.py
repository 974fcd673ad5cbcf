"""Publishers and readers at once, on two workers: each reader knows what publishers were promised when it asks, and looks whether it is shown.

A version is promised when its upload was answered 201. A reader takes a publisher, notes its last promise, asks for the shard index and then for the
shard that it names, or for repodata.json.zst; what it noted must be there. One in ten readers reads repodata.json.zst.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import msgpack
import uvloop
import zstandard

from bench import load
from bench.conda.scale import Scale
from bench.conda.stocks import Stocks
from bench.ground import GROUNDS, Ground
from bench.packages import conda
from bench.publish import CHANNEL, SHARD_INDEX
from bench.server import Entrepot, site
from bench.table import Table

STOCK = 1_000
ZST = f"{CHANNEL}/repodata.json.zst"
MADE = 200
"""Archives of each publisher that are made beforehand, since making one takes the client's time."""
PERCENTILES = (50, 95, 99)


class Wire:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Wire:
        """To the server."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = load.content_length.search(head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(head[9:12]), body


@dataclass(slots=True)
class Crowd:
    """What they did so far."""

    server: Entrepot
    deadline: float
    promised: list[str]
    """The last version that each publisher was promised; empty before the first."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    stale: dict[str, list[str]] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.perf_counter() >= self.deadline

    async def ask(self, what: str, wire: Wire, request: bytes, status: int) -> bytes | None:
        """A timed request; None where it was not answered as it should be."""
        began = time.perf_counter()
        got, body = await wire.ask(request)
        self.seconds.setdefault(what, []).append(time.perf_counter() - began)
        if got != status:
            self.errors.setdefault(what, []).append(f"{got}: {body[:200]!r}")
            return None
        return body

    async def publish(self, number: int, archives: Iterable[tuple[str, tuple[str, bytes]]]) -> None:
        """One publisher: one version after the other of a package of its own."""
        wire = await Wire.open(self.server.port)
        for version, (basename, body) in archives:
            if self.over:
                break
            if await self.ask("an upload", wire, self.server.put(basename, body), 201) is not None:
                self.promised[number] = version
        wire.writer.close()

    async def read(self, number: int) -> None:
        """One reader."""
        wire, chance = await Wire.open(self.server.port), random.Random(number)
        while not self.over:
            about = chance.randrange(len(self.promised))
            version = self.promised[about]
            read = self._whole if number % 10 == 0 else self._shard
            await read(wire, f"crowd{about}", version)
        wire.writer.close()

    async def _shard(self, wire: Wire, name: str, version: str) -> None:
        """Through the shard index."""
        index = await self.ask("shard index", wire, load.request("GET", SHARD_INDEX), 200)
        if index is None or not version:
            return
        shards = msgpack.unpackb(zstandard.decompress(index))["shards"]
        if name not in shards:
            self.stale.setdefault("shard index", []).append(f"{name} is not there, of which {version} was promised")
            return
        body = await self.ask("shard", wire, load.request("GET", f"{CHANNEL}/shards/{shards[name].hex()}.msgpack.zst"), 200)
        if body is not None and basename(name, version) not in msgpack.unpackb(zstandard.decompress(body))["packages.conda"]:
            self.stale.setdefault("shard", []).append(basename(name, version))

    async def _whole(self, wire: Wire, name: str, version: str) -> None:
        """Through repodata.json.zst."""
        body = await self.ask("repodata.json.zst", wire, load.request("GET", ZST), 200)
        if body is not None and version and f'"{basename(name, version)}":'.encode() not in zstandard.decompress(body):
            self.stale.setdefault("repodata.json.zst", []).append(basename(name, version))


def basename(name: str, version: str) -> str:
    """Of the archive."""
    return f"{name}-{version}-py_0.conda"


def measure(
    stocks: Stocks, scale: Scale, *, grounds: Sequence[Callable[[], AbstractContextManager[Ground]]] = tuple(GROUNDS.values())
) -> list[Table]:
    """Both databases."""
    table = Table(
        f"{scale.crowd} publishers and {scale.crowd} readers for {scale.minute:.0f} s, two workers",
        *("what", "database", "answers", "per second", *(f"p{one} ms" for one in PERCENTILES), "longest ms", "errors", "stale"),
    )
    for made in grounds:
        with made() as ground, site(ground, workers="2") as one:
            one.stock(STOCK)
            with one.serving() as server:
                crowd = uvloop.run(gathered(server, scale))
                for what, seconds in crowd.seconds.items():
                    errors, stale = crowd.errors.get(what, []), crowd.stale.get(what, [])
                    table.add(what, ground.title, len(seconds), len(seconds) / scale.minute, *percentiles(seconds), len(errors), len(stale))
                    for each in (errors[:1], stale[:1]):
                        table.note(f"{ground.title}, {what}: {each[0]}") if each else None
                table.note(f"{ground.title}: {shown(server, crowd):,} versions were promised, and each is in the channel in the end.")
    table.note(f"All ask as fast as they are answered, so that a time is mostly waiting; the channel has {STOCK:,} records at first.")
    table.note("Stale: an answer without a version whose upload was answered 201 before the reader asked.")
    return [table]


async def gathered(server: Entrepot, scale: Scale) -> Crowd:
    """All at once."""
    archives = [[(f"1.{at}", conda(f"crowd{number}", f"1.{at}")) for at in range(MADE)] for number in range(scale.crowd)]
    crowd = Crowd(server, time.perf_counter() + scale.minute, [""] * scale.crowd)
    await asyncio.gather(
        *(crowd.publish(number, of_one) for number, of_one in enumerate(archives)), *(crowd.read(number) for number in range(scale.crowd))
    )
    return crowd


def percentiles(seconds: Sequence[float]) -> list[float]:
    """In milliseconds, and the longest."""
    ranked = sorted(seconds)
    return [ranked[min(len(ranked) * one // 100, len(ranked) - 1)] * 1e3 for one in PERCENTILES] + [ranked[-1] * 1e3]


def shown(server: Entrepot, crowd: Crowd) -> int:
    """How many versions were promised; all of them must be there now."""
    channel = server.get(f"{CHANNEL}/repodata.json").json()["packages.conda"]
    names = [
        basename(f"crowd{number}", f"1.{at}") for number, last in enumerate(crowd.promised) if last for at in range(int(last.partition(".")[2]) + 1)
    ]
    missing = [name for name in names if name not in channel]
    if missing and not crowd.errors:
        raise SystemExit(f"{len(missing)} versions were promised and are not there: {missing[:3]}")
    return len(names)
