"""Solve and install conda packages with py-rattler: install.py CHANNEL PREFIX SPEC..."""

import asyncio
import os
import sys
import tempfile

import rattler


async def main(channel: str, prefix: str, *specs: str) -> None:
    with tempfile.TemporaryDirectory() as cache:
        gateway = rattler.Gateway(cache_dir=cache)
        records = await rattler.solve(sources=[channel], specs=list(specs), gateway=gateway)
        await rattler.install(records, target_prefix=prefix, cache_dir=cache, show_progress=False)
    for record in records:
        print("rattler installed", record.name.normalized, record.version)


asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
os._exit(0)  # py-rattler may crash the interpreter at its exit, after success
