"""A process that collects garbage again and again, whatever its age, until its standard input closes.

    collector.py DATA

Prints `ready`, and in the end how many blobs it removed.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import timedelta
from pathlib import Path

from entrepot.db.connection import database
from entrepot.errors import Unavailable
from entrepot.services.collection import collect
from entrepot.settings import load_settings
from entrepot.storage import open_storage


async def main(data: Path) -> None:
    settings = load_settings(data=data)
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    async with database(settings):
        storage = open_storage(settings)
        print("ready", flush=True)
        removed = 0
        while not ended.is_set():
            try:
                # a second into the future: not even an upload that is under way just now is spared
                report = await collect(storage, older_than=timedelta(seconds=-1))
            except Unavailable:  # SQLite's one writer was somebody else for too long
                continue
            assert report.failures == []
            removed += report.blobs.count
    print(removed)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
