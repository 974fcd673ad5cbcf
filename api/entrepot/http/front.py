"""The front: index documents and files are dispatched here, before Starlette's router, at the cost of a bare route.

What a URL means is remembered per (path, Accept, query); a token is taken out of the path first, so none is ever kept here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from entrepot.errors import EntrepotError
from entrepot.http.accesslog import AccessLog
from entrepot.http.errors import CRASHED, FOR_READING, READING, problem_of
from entrepot.http.exchange import Exchange
from entrepot.http.proxies import Proxies
from entrepot.http.request import Facts
from entrepot.http.serving import Server, immediate
from entrepot.log import current_request
from entrepot.packagetype import PackageType
from entrepot.services.labels import MAIN, PATTERN
from entrepot.targets import (
    AddressedTarget,
    DocumentTarget,
    FileTarget,
    NewestTarget,
    NoticesTarget,
    PartTarget,
    RedirectTarget,
    RefusalTarget,
    Target,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from entrepot.http.contents import Content
    from entrepot.site import Site

log = logging.getLogger(__name__)
NO_TOKEN = "-"
"""Stands for an empty token: it opens nothing."""
REMEMBERED = 4 << 20
"""How many characters of keys are remembered, about."""
KINDS = {
    DocumentTarget: "document",
    PartTarget: "part",
    AddressedTarget: "shard",
    FileTarget: "file",
    NewestTarget: "newest",
    NoticesTarget: "notices",
    RedirectTarget: "redirect",
    RefusalTarget: "refusal",
}
"""What the metrics call a request, by what it means."""
KINDS_BY_SEGMENT = {"graphql": "graphql", "upload": "upload", "healthz": "health", "readyz": "health", "metrics": "metrics"}


class Located(NamedTuple):
    """What a URL means."""

    namespace: str
    type: PackageType
    label: str
    target: Target


class Front:
    """An ASGI application in front of another one."""

    def __init__(self, site: Site, app: ASGIApp) -> None:
        self._app = app
        self._types = site.registry.types
        self._reserved = site.registry.reserved_names
        self._server = Server(site)
        self._proxies = Proxies(site.settings) if site.settings.trusted_proxies else None
        self._access_log = AccessLog(site.settings.log_format) if site.settings.access_log else None
        self._hosts = type_hosts(site.settings.public_url, self._types)
        self._located: dict[tuple[str, str, bytes], Located | None] = {}
        self._located_size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is an index document or a file; hand on the rest. Watch both."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._proxies:
            scope = self._proxies.seen_through(scope)
        exchange = Exchange(scope, send)
        exchange.named = exchange.named or self._access_log is not None
        current_request.set(exchange)
        try:
            await self._answer(scope, receive, exchange)
        finally:
            took = exchange.finish()
            if self._access_log:
                self._access_log.add(exchange, took)

    def close(self) -> None:
        """Write what is held back of the access log."""
        if self._access_log:
            self._access_log.write()

    async def _answer(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        method, path = scope["method"], scope["path"]
        facts = Facts(scope)
        if self._hosts:
            path = self._hosts.get(facts.host.partition(":")[0].lower(), "") + path
        reading = method in READING
        if reading and "/t/" in path:
            facts.path_token, path = split_token(path, self._types)
        found = self._locate(path, facts.accept, scope["query_string"]) if reading else None
        if found is None:
            await self._pass_on(scope, receive, exchange, facts, path)
            return
        namespace, type, label, target = found
        facts.path, facts.raw_path = path, scope.get("raw_path", b"")
        exchange.kind = KINDS[target.__class__]
        try:
            if isinstance(target, RedirectTarget | RefusalTarget):
                await immediate(target, scope["query_string"].decode("latin-1"))(scope, receive, exchange.send)
                return
            content = await self._content(facts, namespace, type, label, target)
            made = None if exchange.named else content.made(facts, method)
            if made is None:
                await content.send(facts, method, exchange.send)
                return
            start, body = made  # what nothing is added to, and nothing watched: the hot path
            await exchange.raw(start)
            await exchange.raw(body)
            exchange.handed_on(start, body)
            if facts.given and body is content.whole:
                facts.given()
        except EntrepotError as error:
            response: Response = problem_of(error)
            await response(scope, receive, exchange.send)

    async def _content(self, facts: Facts, namespace: str, type: PackageType, label: str, target: Target) -> Content:
        try:
            return await self._server.content(facts, namespace, type, label, target)
        except EntrepotError:
            raise
        except Exception as error:  # a plugin's rendering, a broken disk: the next request tries anew
            log.exception("%s of %s could not be answered.", target, namespace)
            raise EntrepotError(CRASHED) from error

    async def _pass_on(self, scope: Scope, receive: Receive, exchange: Exchange, facts: Facts, path: str) -> None:
        """To the router, below `/<type>` also on a type's own host. It knows no URL with a token in it: those read documents and files alone."""
        if facts.path_token:
            path = "/t/"
        if path is not scope["path"]:
            scope = {**scope, "path": path, "raw_path": path.encode()}
        segment = path[1:].partition("/")[0]
        exchange.named = True
        exchange.kind = KINDS_BY_SEGMENT.get(segment) or ("upload" if segment in self._types and scope["method"] in ("POST", "PUT") else "other")
        if scope["method"] not in READING and self._meaning(path, facts.accept, scope["query_string"].decode("latin-1")):
            scope = {**scope, FOR_READING: True}
        try:
            await self._app(scope, exchange.receiving(receive), exchange.send)
        except Exception:  # raised after the whole answer was given: the client has nothing to do with it
            if not exchange.complete:
                raise
            log.exception("%s %s could not be answered.", scope["method"], scope["path"])

    def _locate(self, path: str, accept: str, query: bytes) -> Located | None:
        key = (path, accept, query)
        try:
            return self._located[key]
        except KeyError:
            found = self._meaning(path, accept, query.decode("latin-1"))
        size = len(path) + len(accept) + len(query)
        if size < 2048:
            self._located_size += size + 200
            if self._located_size > REMEMBERED:
                self._located.clear()
                self._located_size = size
            self._located[key] = found
        return found

    def _meaning(self, path: str, accept: str, query: str) -> Located | None:
        segments = path.split("/", 5)
        type = self._types.get(segments[1]) if len(segments) > 2 else None
        if type is None or segments[2].lower() in self._reserved or not segments[2]:
            return None
        namespace, label = segments[2].lower(), MAIN
        rest = "/".join(segments[3:])
        if len(segments) > 5 and segments[3] == "label" and PATTERN.fullmatch(segments[4].lower()):
            label, rest = segments[4].lower(), segments[5]
        target = type.locate(rest, accept, query)
        if isinstance(target, RedirectTarget) and not rest and not path.endswith("/"):
            target = RedirectTarget(f"{quote(path.rsplit('/', 1)[1], safe='')}/{target.location}")
        return None if target is None else Located(namespace, type, label, target)


def split_token(path: str, types: Mapping[str, PackageType]) -> tuple[str, str]:
    """The token in a path, and the path without it: `/t/<token>/…` in front, or right behind the type (`/<type>/t/<token>/…`).

    A token that was left empty, as a variable that is not set leaves it, is a wrong one: it must not read as if nobody had wanted to send one.
    """
    segments = path.split("/", 4)
    if len(segments) > 3 and segments[1] == "t":
        return segments[2] or NO_TOKEN, "/" + "/".join(segments[3:])
    if len(segments) > 4 and segments[2] == "t" and segments[1] in types:
        return segments[3] or NO_TOKEN, f"/{segments[1]}/{segments[4]}"
    return "", path


def type_hosts(public_url: str, types: Mapping[str, PackageType]) -> dict[str, str]:
    """The hosts that types have of their own: `<type>.<domain>` of the public URL, with the path prefix each stands for. Ports do not count."""
    domain = urlsplit(public_url).hostname
    return {f"{name}.{domain}": f"/{name}" for name in types} if domain else {}
