"""A real conda client: solves and installs with py-rattler. Runs in an environment of its own.

    rattler_install.py CHANNEL PREFIX CACHE SPEC...

Prints what it installed, one `name version build` a line. RATTLER_AUTH_FILE may hold the credential.
"""

import asyncio
import os
import sys
from pathlib import Path

import rattler


async def main(channel: str, prefix: str, cache: str, *specs: str) -> None:
    client = rattler.Client.default_client()  # the same one for both, or package downloads go out without the credential
    shards = os.environ.get("SHARDED", "1") == "1"
    source = rattler.SourceConfig(sharded_enabled=shards, zstd_enabled=os.environ.get("ZSTD", "1") == "1")
    gateway = rattler.Gateway(cache_dir=Path(cache) / "repodata", client=client, default_config=source)
    records = await rattler.solve(sources=[channel], specs=list(specs), gateway=gateway, platforms=["linux-64", "noarch"])
    await rattler.install(records, target_prefix=prefix, cache_dir=Path(cache) / "packages", client=client, show_progress=False)
    for record in records:
        print(record.name.normalized, record.version, record.build)


asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
os._exit(0)  # the interpreter may crash at exit after success
