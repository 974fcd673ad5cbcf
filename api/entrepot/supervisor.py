"""Several worker processes under one parent: start, replace, stop. None outlives the parent, whatever ends it."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

import structlog

from entrepot.counters import shared_memory
from entrepot.errors import SettingsError
from entrepot.settings import Settings

READY = b"ready\n"

log = structlog.get_logger(__name__)


async def supervise(settings: Settings, listener: socket.socket, on_ready: Callable[[], None], *, late: float) -> None:
    """Run `settings.workers` workers on the listening socket until SIGTERM or SIGINT. Raises SettingsError where the first of them cannot start."""
    supervisor = Supervisor(settings, listener, on_ready, late)
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, supervisor.on_signal)
    if settings.tls_certificate:
        loop.add_signal_handler(signal.SIGHUP, supervisor.reload)
    await asyncio.gather(*(supervisor.keep_one(number) for number in range(settings.workers)))
    if supervisor.failed:
        raise SettingsError("A worker process could not start; the lines above say why.")


class Supervisor:
    """The parent's view of its workers.

    A worker reads its settings from its standard input, for there may be a password in them, and takes the end of that input as the end of its
    parent. It writes one line to its standard output when it serves.
    """

    def __init__(self, settings: Settings, listener: socket.socket, on_ready: Callable[[], None], late: float) -> None:
        self.settings = settings
        self.listener = listener
        self.on_ready = on_ready
        self.late = late
        self.counters = shared_memory(settings.workers)
        self.running: set[Process] = set()
        self.ready = 0
        self.stopping = asyncio.Event()
        self.impatient = False
        self.failed = False

    async def keep_one(self, number: int) -> None:
        """Keep one worker running: start it, wait for its end, start the next."""
        while not self.stopping.is_set():
            process = await self.start(number)
            served = await self.wait_for(process)
            if self.stopping.is_set():
                return
            if not served and self.ready < self.settings.workers:
                self.failed = True
                self.stop()
                return
            log.warning("a worker process ended and is replaced", pid=process.pid, exit_code=process.returncode)
            if not served:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), 1)

    async def start(self, number: int) -> Process:
        """Start a worker and give it its settings; `number` is its place among the workers."""
        handles = [self.listener.fileno(), self.counters]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "entrepot.worker", *map(str, (*handles, number)), stdin=PIPE, stdout=PIPE, pass_fds=handles
        )
        self.running.add(process)
        assert process.stdin is not None
        process.stdin.write(self.settings.model_dump_json().encode() + b"\n")
        with suppress(ConnectionError):
            await process.stdin.drain()
        if self.stopping.is_set():
            self.end(process)
        return process

    async def wait_for(self, process: Process) -> bool:
        """Wait for a worker's end; answers whether it ever served."""
        assert process.stdout is not None
        served = await process.stdout.readline() == READY
        if served:
            self.ready += 1
            if self.ready == self.settings.workers and not self.stopping.is_set():
                self.on_ready()
        await process.wait()
        self.running.discard(process)
        return served

    def on_signal(self) -> None:
        """The first signal stops gracefully; a later one at once, but not one that came in the same go."""
        if not self.stopping.is_set():
            self.stop()
        elif self.impatient:
            self.kill()

    def stop(self) -> None:
        """Accept nothing more and let the workers finish."""
        self.stopping.set()
        self.listener.close()
        for process in self.running:
            self.end(process)
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, setattr, self, "impatient", True)
        loop.call_later(self.settings.shutdown_delay + self.settings.shutdown_grace + self.late, self.kill)

    def reload(self) -> None:
        """Tell the workers to read the TLS certificate again."""
        for process in self.running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGHUP)

    def end(self, process: Process) -> None:
        """Ask a worker to finish."""
        with suppress(ProcessLookupError):
            process.terminate()

    def kill(self) -> None:
        """End what is left."""
        for process in self.running:
            with suppress(ProcessLookupError):
                process.kill()
