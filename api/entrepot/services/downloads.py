"""Counts downloads: in memory per file and day, written every few seconds. Workers and hosts add to the same rows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from entrepot.db.sql import execute, rows_of, transact

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two writes."""
MOST = 100_000
"""How many files are counted at once, about 20 MB; what comes beyond while the database is away is not counted."""
AT_ONCE = 500
LAST = 5.0
"""Seconds that the last write may take when the server stops."""
A_DAY = 86_400

# Sorted, so that two workers that write the same rows take their locks in the same order; joined, for a file may have been removed meanwhile.
WRITE = """WITH counted (file_id, day, count) AS (VALUES {rows})
    INSERT INTO download (file_id, day, count)
    SELECT file.id, CAST(counted.day AS INTEGER), CAST(counted.count AS BIGINT) FROM counted JOIN file ON file.id = counted.file_id
    WHERE TRUE ORDER BY 1, 2
    ON CONFLICT (file_id, day) DO UPDATE SET count = download.count + excluded.count"""


class Downloads:
    """The counts of one process."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int], int] = {}
        self._uncounted = 0

    def count(self, file_id: int) -> None:
        """A file was downloaded, now. Neither waits nor writes."""
        key = (file_id, int(time.time()) // A_DAY)
        if key in self._counts:
            self._counts[key] += 1
        elif len(self._counts) < MOST:
            self._counts[key] = 1
        else:
            self._uncounted += 1

    @asynccontextmanager
    async def kept_written(self) -> AsyncIterator[None]:
        """For as long as this lasts the counts are written every few seconds, and once more at its end. The database must outlast it."""
        stop = asyncio.Event()
        writer = asyncio.create_task(self._keep_writing(stop))
        try:
            yield
        finally:
            stop.set()
            await writer

    async def _keep_writing(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY)
            try:
                async with asyncio.timeout(LAST if stop.is_set() else None):
                    await self.write()
            except Exception as error:  # the database is away; no count is lost, and the next time may be better
                log.warning("Downloads could not be written: %s. They are kept in memory.", error or type(error).__name__)
        if self._counts:
            log.error("Downloads of %d files could not be written before the end, and are lost.", len(self._counts))

    async def write(self) -> None:
        """Write what was counted since the last time. Raises what the database raises, and then what was not written is kept."""
        if self._uncounted:
            log.warning("%d downloads were not counted: those of %d files wait for the database already.", self._uncounted, MOST)
            self._uncounted = 0
        waiting = sorted(self._counts.items())
        for start in range(0, len(waiting), AT_ONCE):
            some = waiting[start : start + AT_ONCE]
            await _add(some)
            for key, count in some:
                self._counts[key] -= count
                if not self._counts[key]:
                    del self._counts[key]


async def _add(counts: Sequence[tuple[tuple[int, int], int]]) -> None:
    rows = rows_of(len(counts), 3).replace("($1,$2,$3)", "(CAST($1 AS BIGINT),CAST($2 AS BIGINT),CAST($3 AS BIGINT))", 1)
    values = [value for (file_id, day), count in counts for value in (file_id, day, count)]
    await transact(lambda: execute(WRITE.format(rows=rows), *values), durable=False)
