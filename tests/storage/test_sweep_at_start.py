"""What killed uploads have left in the spool goes when a server starts a day later; what may still be an upload stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

from entrepot.app import running
from entrepot.registry import Registry
from entrepot.settings import load_settings
from toy import ToyPlugin


async def test_a_server_that_starts_removes_abandoned_spool_files(house_data: Path) -> None:
    settings, registry = load_settings(data=house_data), Registry.of({"toy": ToyPlugin()})
    async with running(settings, registry) as started:
        spools = [started.site.storage.spool() for _ in range(2)]
        for spool in spools:
            spool.write(b"left behind")
            spool.sync()
    old, young = sorted(started.site.storage.spool_folder.iterdir())
    os.utime(old, (time.time() - 90_000,) * 2)
    async with running(settings, registry):
        assert list(young.parent.iterdir()) == [young]
    for spool in spools:
        spool.discard()
