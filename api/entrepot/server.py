"""The server process: what happens before the first request, while it serves, and when it stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from entrepot.datafolder import make_data_folder
from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.errors import SettingsError, Unavailable
from entrepot.http.protocol import BoundedProtocol
from entrepot.http.tls import check_tls, load_certificate
from entrepot.log import log_as_set
from entrepot.metrics import STARTS
from entrepot.registry import Registry
from entrepot.services.namespaces import check_existing
from entrepot.services.users import count_users
from entrepot.settings import Settings, check_sections
from entrepot.storage import open_storage
from entrepot.supervisor import supervise

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from entrepot.app import Application

log = logging.getLogger(__name__)

LATE = 5.0
"""Seconds beyond the grace after which a process that still has not ended is ended."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Returns when everything is stopped; raises SettingsError or PluginError where it cannot start."""
    log_as_set(settings)
    check_tls(settings)
    registry = Registry.load(settings.plugins)
    check_sections(settings, registry.settings_models())
    with listen(settings) as listener:
        users = asyncio.run(prepare(settings, registry))

        def announce() -> None:
            say(f"Entrepot serves {settings.data} at {url_of(listener, tls=settings.tls_certificate is not None)}")
            if not users:
                say(first_steps(settings))

        if settings.workers == 1:
            serve(settings, listener, announce)
        else:
            asyncio.run(supervise(settings, listener, announce, late=LATE))


async def prepare(settings: Settings, registry: Registry) -> int:
    """Bring the data folder and the database up to date, once for all workers; answers how many users there are."""
    make_data_folder(settings)
    with suppress(Unavailable):  # a store that is away may come back; one that refuses us will not
        open_storage(settings).probe()
    apps = registry.models()
    await migrate(settings, apps)
    async with database(settings, apps):
        await check_existing(registry)
        return await count_users()


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises SettingsError where the address cannot be had."""
    where = f"{settings.host} port {settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = sorted(found, key=lambda one: one[0] != socket.AF_INET)[0]  # `localhost` means 127.0.0.1 to most clients
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"The server cannot listen on {where}: {error.strerror}. Choose another address with --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SettingsError(f"The server cannot listen on {where}: {error.strerror}. Choose another port with --port.") from error
    return listener


def url_of(listener: socket.socket, *, tls: bool) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def first_steps(settings: Settings) -> str:
    """What to type while there is no user."""
    data = "" if settings.data == Settings.model_fields["data"].default else f" --data {shlex.quote(str(settings.data))}"
    return (
        "There is no user yet. Create one, and a token to upload with:\n"
        f"    entrepot user create NAME --admin{data}\n"
        f"    entrepot token create NAME --name laptop{data}"
    )


def say(text: str) -> None:
    """Print to standard output; that nobody reads it is no reason to stop."""
    with suppress(OSError):
        print(text, flush=True)


def serve(settings: Settings, listener: socket.socket, on_ready: Callable[[], None], *, supervised: bool = False) -> None:
    """Serve in this process until SIGTERM comes, or SIGINT where no supervisor decides."""
    from entrepot.app import create_app

    sys.setswitchinterval(0.0005)  # else a thread that renders an index holds up the event loop for 5 ms at a time
    STARTS.add()
    server = Server(settings, create_app(settings), on_ready=on_ready, supervised=supervised)
    try:
        server.run(sockets=[listener])
    except SystemExit as end:  # uvicorn's, after it has logged why the application did not start
        raise SystemExit(1) from end


def configuration(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    """How uvicorn runs here."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than the 60 s of most proxies, so that it is the proxy that closes
        timeout_graceful_shutdown=settings.shutdown_grace,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )


class Server(uvicorn.Server):
    """uvicorn's server, with an end of our own: it returns instead of raising the signal again, and a second signal ends it at once.

    `supervised`: a worker. Only SIGTERM counts, however often it comes: the whole group may get signals, and the parent decides what they mean.
    With TLS, SIGHUP reads the certificate again.
    """

    def __init__(self, settings: Settings, app: Application, *, on_ready: Callable[[], None], supervised: bool) -> None:
        super().__init__(configuration(settings, app))
        self.settings = settings
        self.app = app
        self.on_ready = on_ready
        self.supervised = supervised
        self.told_to_stop = False
        self.impatient = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            settle_memory()
            self.on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        caught = (signal.SIGTERM,) if self.supervised else (signal.SIGTERM, signal.SIGINT)
        before = {one: signal.signal(one, self.handle_exit) for one in caught}
        if self.settings.tls_certificate:
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self.handle_reload)
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop gracefully. A second signal counts after half a second only: some programs that end others send two in one go."""
        if not self.told_to_stop:
            self.told_to_stop = True
            self.app.stop_soon()
            if self.settings.shutdown_delay:
                start_timer(self.settings.shutdown_delay, lambda: setattr(self, "should_exit", True))
            else:
                self.should_exit = True
            start_timer(patience(self.settings), lambda: os._exit(1))
            start_timer(0.5, lambda: setattr(self, "impatient", True))
        elif self.impatient and not self.supervised:
            os._exit(1)  # every file and row is written so that it survives this

    def handle_reload(self, sig: int, frame: FrameType | None) -> None:
        """New connections get the certificate as it is now; with one that cannot be used, they get the one from before."""
        if self.config.ssl is None:
            return
        try:
            check_tls(self.settings)
        except SettingsError as error:
            log.error("%s The server goes on with the certificate that it has.", error.message)
        else:
            load_certificate(self.config.ssl, self.settings)
            log.info("The TLS certificate was read again.")


def patience(settings: Settings) -> float:
    """Seconds after which a process that was told to stop must have ended."""
    return settings.shutdown_delay + settings.shutdown_grace + LATE


def settle_memory() -> None:
    """Take what the start has made, and what stays, out of the garbage collector's sight: looking through all of it stops the event loop for 50 ms.

    What requests make is freed when they end, without the collector; so it need not look after every 700 objects either. But it looks through few at
    a time: what a large index is read into is hundreds of thousands of objects, and while it looks, nothing else goes on in any thread.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000, 5, 200)


def start_timer(seconds: float, call: Callable[[], object]) -> None:
    """Call something later, unless the process has ended by then."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
