"""A real conda client that reads every record of some names, through each index document that a channel has. Runs in an environment of its own.

Its arguments are the channel, a folder for its caches, and the names. Answers a JSON list for each document: `name version` of every record, or an
error.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import rattler


async def records(channel: str, cache: Path, names: list[str], *, sharded: bool, zstd: bool) -> list[str]:
    source = rattler.SourceConfig(sharded_enabled=sharded, zstd_enabled=zstd)
    gateway = rattler.Gateway(cache_dir=cache, default_config=source)
    found = await gateway.query(sources=[channel], platforms=["noarch"], specs=names, recursive=False)
    return sorted(f"{record.name.normalized} {record.version}" for subdir in found for record in subdir)


async def main() -> None:
    channel, cache, *names = sys.argv[1:]
    for sharded, zstd in ((True, True), (False, True), (False, False)):
        answer: list[str]
        try:
            answer = await records(channel, Path(cache) / f"{sharded}-{zstd}", names, sharded=sharded, zstd=zstd)
        except Exception as error:
            answer = [f"{type(error).__name__}: {error}"]
        print(json.dumps(answer))


asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # the interpreter may crash at exit after success
