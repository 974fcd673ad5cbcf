"""`/healthz`: the process is alive. `/readyz`: it can serve, for the database and the storage answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

from entrepot.db.applied import known_migrations, missing_migrations
from entrepot.services.flights import Flights

if TYPE_CHECKING:
    from starlette.requests import Request

    from entrepot.site import Site

log = logging.getLogger(__name__)
PATIENCE = 2.0
"""Seconds that a part may take to answer."""
REMEMBERED = 1.0
"""Seconds for which an answer is not asked for again: anybody may ask, and shall not be able to keep the database busy."""
OK, AWAY, BEHIND = "ok", "away", "behind"
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Health:
    """The two endpoints."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known = known_migrations(site.registry.models())
        self._looks: Flights[None] = Flights()
        self._reaches: Flights[None] = Flights()
        self._found = {"database": OK, "storage": OK}
        self._looked_at = float("-inf")

    async def alive(self, request: Request) -> Response:
        """200 whenever the event loop gets to it. Asks nobody."""
        return _answer(200, {"alive": True})

    async def ready(self, request: Request) -> Response:
        """200, or 503 with what is away. Says no more than that: why is in the log."""
        if self._site.stopping:
            return _answer(503, {"ready": False, "server": "stopping"})
        if asyncio.get_running_loop().time() - self._looked_at > REMEMBERED:
            await self._looks.join("look", self._look)
        ready = set(self._found.values()) == {OK}
        return _answer(200 if ready else 503, {"ready": ready, **self._found})

    async def _look(self) -> None:
        database, storage = await asyncio.gather(self._asked("database", self._database()), self._asked("storage", self._storage()))
        found = {"database": database, "storage": storage}
        for part, state in found.items():
            if state == OK != self._found[part]:
                log.info("The %s answers again.", part)
        self._found, self._looked_at = found, asyncio.get_running_loop().time()

    async def _asked(self, part: str, question: Awaitable[str]) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                state = await question
        except Exception as error:  # whatever drivers raise: it does not answer
            state = AWAY
            if self._found[part] != state:
                log.warning("The %s does not answer: %s. This server is not ready.", part, f"{type(error).__name__}: {error}".rstrip(": ."))
        return state

    async def _database(self) -> str:
        missing = await missing_migrations(self._known)
        if missing and self._found["database"] != BEHIND:
            log.warning("The database lacks migrations that it had when this server started: %s. Restart the server.", ", ".join(missing))
        return BEHIND if missing else OK

    async def _storage(self) -> str:
        """In a thread, which a storage that hangs does not give back: so the next look waits for the same one."""
        await self._reaches.join("reach", lambda: asyncio.to_thread(self._site.storage.probe))
        return OK


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), status, HEADERS, "application/json")
