"""The application: settings and plugins make a site, a site makes an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from entrepot.db.connection import database
from entrepot.db.migrate import migrate
from entrepot.db.readers import open_readers
from entrepot.errors import EntrepotError, Unavailable
from entrepot.graphql.endpoint import graphql_app
from entrepot.graphql.graphiql import SchemaText, asset
from entrepot.graphql.schema import build_schema
from entrepot.http.authentication import recorded
from entrepot.http.errors import on_crash, on_domain_error, on_http_error
from entrepot.http.front import Front
from entrepot.http.health import Health
from entrepot.http.lingering import Lingering
from entrepot.http.metrics import MetricsEndpoint
from entrepot.http.staged import StagedEndpoint
from entrepot.http.upload import UploadEndpoint
from entrepot.registry import Registry
from entrepot.services import namespaces, states
from entrepot.services.facade import Services
from entrepot.services.indexes import Indexes
from entrepot.services.pulse import Pulse
from entrepot.settings import Settings, load_settings
from entrepot.site import Site
from entrepot.storage import Storage, open_storage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

ABANDONED = 86_400.0
"""Seconds after which a spooled file belongs to no upload any more, but to a process that was killed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A site that runs, and the application that serves it."""

    site: Site
    app: ASGIApp


@asynccontextmanager
async def running(settings: Settings, registry: Registry | None = None) -> AsyncIterator[Running]:
    """Migrate, open everything, and close it again. Raises SettingsError, PluginError."""
    registry = registry or Registry.load(settings.plugins)
    await migrate(settings, registry.models())
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database(settings, registry.models()))
        site = open_site(settings, registry)
        stack.callback(site.close)
        stack.push_async_callback(recorded)
        await stack.enter_async_context(site.downloads.kept_written())
        await asyncio.to_thread(prepare_storage, site.storage)
        await namespaces.check_existing(registry)
        await states.restate_outdated(site)
        pulse = Pulse(site)
        await stack.enter_async_context(pulse.beating())
        app = build_app(site, pulse)
        stack.callback(app.close)
        yield Running(site, app)


def prepare_storage(storage: Storage) -> None:
    """Look for the storage, and clear away what killed uploads have left. One that is away keeps no server from starting: indexes need it not."""
    try:
        storage.probe()
    except Unavailable as error:
        log.warning("%s The server starts all the same.", error.message)
    storage.sweep(ABANDONED)


def open_site(settings: Settings, registry: Registry) -> Site:
    """A site on an open database."""
    lookup, snapshots = open_readers(settings)
    storage = open_storage(settings)
    return Site(
        settings=settings,
        registry=registry,
        storage=storage,
        lookup=lookup,
        snapshots=snapshots,
        indexes=Indexes(snapshots, settings.cache, storage),
    )


def build_app(site: Site, pulse: Pulse) -> Front:
    """The front with everything behind it."""
    services = Services(site)
    health = Health(site)
    schema = build_schema(site.registry)
    routes: list[BaseRoute] = [
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", MetricsEndpoint(site.settings, pulse).get),
        Route(StagedEndpoint.path, StagedEndpoint(site).put, methods=["PUT"]),  # before the next: no namespace is named `-`
        Route(UploadEndpoint.path, UploadEndpoint(services).put, methods=["PUT"]),
        Route("/graphql", graphql_app(site, schema)),
        Route("/graphql/assets/{digest}/{name}", asset, methods=["GET"]),
        Route("/graphql/schema.graphql", SchemaText(schema).get, methods=["GET"]),
        *_type_mounts(site.registry, services),  # before the plugins' own: a pattern of theirs cannot take a type's uploads
        *(route for _, route in site.registry.routes(services)),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Lingering)],
        exception_handlers={EntrepotError: on_domain_error, HTTPException: on_http_error, Exception: on_crash},
    )
    app.router.redirect_slashes = False
    return Front(site, app)


def _type_mounts(registry: Registry, services: Services) -> Sequence[BaseRoute]:
    found: dict[str, list[BaseRoute]] = {}
    for type_name, route in registry.type_routes(services):
        found.setdefault(type_name, []).append(route)
    return [Mount(f"/{type_name}", routes=routes) for type_name, routes in found.items()]


class Application:
    """The ASGI application that a server runs: opens the site at its start, closes it at its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: ASGIApp | None = None
        self._site: Site | None = None

    def stop_soon(self) -> None:
        """The server is about to stop: it is not ready any more."""
        if self._site is not None:
            self._site.stopping = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the lifespan, or hand a request to the running site."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with running(self._settings) as started:
                self._app, self._site = started.app, started.site
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:  # whatever it is, uvicorn must hear that the start or the end failed
            message = error.message if isinstance(error, EntrepotError) else f"{type(error).__name__}: {error}"
            log.exception("The server did not start.") if not isinstance(error, EntrepotError) else log.error(message)
            await send({"type": "lifespan.startup.failed" if self._app is None else "lifespan.shutdown.failed", "message": message})
        else:
            await send({"type": "lifespan.shutdown.complete"})


def create_app(settings: Settings | None = None) -> Application:
    """The ASGI application, for uvicorn or any other server."""
    return Application(settings or load_settings())
