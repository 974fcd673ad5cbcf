"""`entrepot` with a clock on its event loop: `python -m bench.ticking serve …` also answers `GET /ticks`, with the longest gap between two ticks.

A task wakes every millisecond, in the worker's own loop. What is between two wakings beyond that is what a request that came meanwhile has waited
for: a callback that took long, a garbage collection, or a thread that would not give the interpreter back. Asking starts the count anew.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import entrepot.app
from entrepot.cli import app as command_line
from starlette.responses import Response

if TYPE_CHECKING:
    from entrepot.settings import Settings
    from starlette.types import Receive, Scope, Send

INTERVAL = 0.001
LATE = 0.005
"""The budget: no gap longer than this."""


class Ticking(entrepot.app.Application):
    """The application, and a task that wakes all the time."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._task: asyncio.Task[None] | None = None
        self._gaps: list[tuple[float, float]] = []
        """Each with the CPU that the process used in it: a machine that others use makes long gaps of which nothing here is the cause."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `/ticks`; hand on the rest."""
        if self._task is None:
            self._task = asyncio.create_task(self._tick())
        if scope["type"] == "http" and scope["path"] == "/ticks":
            gaps, self._gaps = self._gaps, []
            worst, own = max((gap for gap, _ in gaps), default=0.0), max((min(gap) for gap in gaps), default=0.0)
            body = json.dumps({"ticks": len(gaps), "worst": worst, "own": own, "late": sum(gap > LATE for gap, _ in gaps)})
            await Response(body, media_type="application/json")(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _tick(self) -> None:
        last, used = time.perf_counter(), time.process_time()
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(INTERVAL)
                now, cpu = time.perf_counter(), time.process_time()
                self._gaps.append((now - last, cpu - used))
                last, used = now, cpu


def main() -> None:
    """The command line, with the other application."""
    entrepot.app.create_app = Ticking  # type: ignore[assignment]  # which takes no settings too, and nobody here calls it without
    command_line()


if __name__ == "__main__":
    main()
