"""The peers: conda-index and py-rattler's indexer write the documents of a folder, anew after each package; beside what a publish takes here."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgpack
import zstandard
from real_client import Client

from bench.conda.answers import DOCUMENTS, everything
from bench.conda.scale import Scale
from bench.conda.stocks import Stocks
from bench.packages import conda
from bench.publish import Reading, reading
from bench.server import BUILD
from bench.stock import RELEASES
from bench.table import Table

ALL = ("--no-bz2", "--no-rss", "--zst", "--write-shards", "--run-exports", "--channeldata")
SHARDS_ALONE = ("--no-bz2", "--no-rss", "--no-zst", "--no-channeldata", "--no-run-exports", "--no-write-monolithic", "--write-shards")
INDEX_FS = Path(__file__).with_name("index_fs.py")
TIMES = 3
Command = tuple[Sequence[str], Mapping[str, str]]


def measure(stocks: Stocks, scale: Scale) -> list[Table]:
    """Folders of the stock's packages; each peer begins with nothing, and then takes one more package, three times."""
    table = Table("One more package, beside the peers", "what", "records", "wall s", "CPU s", "the first time: wall s", "CPU s")
    with TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        client = Client(Path(folder, "home"))
        for size in scale.sizes:
            for title, first, more in peers(client, Path(folder, "channel"), size, scale):
                table.add(title, size, more.wall, more.cpu, first.wall, first.cpu)
            with stocks.of(size).serving() as server:
                for path, headers in DOCUMENTS.values():
                    reading(server, path, **headers)
                own = [everything(server) for _ in range(TIMES)]
            table.add(
                "Entrepot: the upload and all documents, over HTTP", size, median(one.wall for one in own), median(one.cpu for one in own), "", ""
            )
    table.note(f"Medians of {TIMES}. The packages are those of the stock, as real archives; the peers' processes start and end with each.")
    table.note(f"conda-index is given at most {scale.indexed:,} packages here (`--indexed`).")
    return [table]


def peers(client: Client, channel: Path, size: int, scale: Scale) -> Iterator[tuple[str, Reading, Reading]]:
    """Title, the first time, and the median of one more package."""
    rattler = [str(client.python_with("py-rattler")), str(INDEX_FS), str(channel)]
    commands: dict[str, Command] = {"py-rattler's index_fs: json, zst, shards": (rattler, client.env)}
    if size <= scale.indexed:
        commands["conda-index: all documents"] = client.conda_index_command(channel, *ALL)
        commands["conda-index: shards alone"] = client.conda_index_command(channel, *SHARDS_ALONE)
    for title, command in commands.items():
        fill(channel, size)
        first, more = run(command), []
        for at in range(TIMES):
            add(channel, "stock0", f"9.{at}")
            more.append(run(command))
            if not shows(channel, "stock0", f"9.{at}"):
                raise SystemExit(f"{title} does not show what was added last.")
        yield title, first, Reading(median(one.wall for one in more), median(one.cpu for one in more), 0.0, 0)


def fill(channel: Path, size: int) -> None:
    """A folder of the stock's packages, and nothing that a peer has left there."""
    noarch = channel / "noarch"
    noarch.mkdir(parents=True, exist_ok=True)
    wanted = {conda_name(at): at for at in range(size)}
    for entry in [*channel.iterdir(), *noarch.iterdir()]:
        if entry.is_dir() and entry != noarch:
            shutil.rmtree(entry)
        elif entry.is_file() and entry.name not in wanted:
            entry.unlink()
    there = {entry.name for entry in noarch.iterdir()}
    for name in wanted.keys() - there:
        add(channel, f"stock{wanted[name] // RELEASES}", f"1.{wanted[name] % RELEASES}")


def conda_name(at: int) -> str:
    """The basename of the stock's package of this number."""
    return f"stock{at // RELEASES}-1.{at % RELEASES}-py_0.conda"


def add(channel: Path, name: str, version: str) -> None:
    """One more archive."""
    basename, body = conda(name, version, rich=True)
    (channel / "noarch" / basename).write_bytes(body)


def shows(channel: Path, name: str, version: str) -> bool:
    """Whether what a peer has written has a package: its shard, or repodata.json where there is one."""
    noarch, basename = channel / "noarch", f"{name}-{version}-py_0.conda"
    if (noarch / "repodata.json").exists() and basename not in json.loads((noarch / "repodata.json").read_bytes())["packages.conda"]:
        return False
    index = unpacked(noarch / "repodata_shards.msgpack.zst")
    shard = noarch / index["info"]["shards_base_url"] / f"{index['shards'][name].hex()}.msgpack.zst"
    return basename in unpacked(shard)["packages.conda"]


def unpacked(path: Path) -> Any:
    """What a file says; frames need not say how long their content is."""
    return msgpack.unpackb(zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()))


def run(command: Command) -> Reading:
    """What a process takes, with all that it starts."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    arguments, environment = command
    done = subprocess.run(arguments, env=dict(environment), capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return Reading(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.0, 0)
