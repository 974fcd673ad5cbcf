"""What a proxy in front says of a request: who the client is, which scheme and host it used, and the request's id.

It counts only where the connection comes from a trusted proxy; anybody else may write such headers too, and they are not looked at. One family of
headers counts, by setting: a proxy overwrites those that it knows and passes the others on as the client wrote them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from entrepot.http.exchange import GIVEN_ID

if TYPE_CHECKING:
    from starlette.types import Scope

    from entrepot.settings import Settings

WELL_FORMED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=@-]{0,127}")
WELL_FORMED_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_pair = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,"\s]*))\s*')
MOST_HOPS = 50
THROUGH_PROXY = "entrepot.through_proxy"
"""In the scope of a request that a trusted proxy passed on, and not of one that a program on the proxy's own machine made."""


class Proxies:
    """The trusted proxies."""

    def __init__(self, settings: Settings) -> None:
        networks = [ip_network(one, strict=False) for one in settings.trusted_proxies]
        self._by_forwarded = settings.forwarded_by == "forwarded"

        @lru_cache(maxsize=4096)
        def trusts(address: str) -> bool:
            try:
                found = ip_address(address)
            except ValueError:
                return False
            found = getattr(found, "ipv4_mapped", None) or found
            return any(found in network for network in networks)

        self._trusts = trusts

    def seen_through(self, scope: Scope) -> Scope:
        """The request as its client made it; as it is where no trusted proxy passed it on."""
        client = scope.get("client")
        if client is None or not self._trusts(client[0]):
            return scope
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in (b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"):
                headers.setdefault(name, []).append(value.decode("latin-1"))
        changed = {**scope}
        (self._forwarded if self._by_forwarded else self._x_forwarded)(changed, headers)
        given = headers.get(b"x-request-id", [""])
        if len(given) == 1 and WELL_FORMED_ID.fullmatch(given[0]):
            changed[GIVEN_ID] = given[0]
        return changed

    def _x_forwarded(self, scope: Scope, headers: dict[bytes, list[str]]) -> None:
        hops = _listed(headers.get(b"x-forwarded-for"))
        if hops:
            scope[THROUGH_PROXY] = True
            self._take_client(scope, [_address(hop) for hop in hops])
        _take_scheme(scope, _listed(headers.get(b"x-forwarded-proto"))[-1:])
        _take_host(scope, _listed(headers.get(b"x-forwarded-host"))[-1:])

    def _forwarded(self, scope: Scope, headers: dict[bytes, list[str]]) -> None:
        """RFC 7239: an element for each hop, the last one by the proxy that we see."""
        elements = forwarded_elements(", ".join(headers.get(b"forwarded", [])))
        if elements:
            scope[THROUGH_PROXY] = True
            self._take_client(scope, [_address(element.get("for", "")) for element in elements])
            _take_scheme(scope, [elements[-1].get("proto", "")])
            _take_host(scope, [elements[-1].get("host", "")])

    def _take_client(self, scope: Scope, hops: list[str]) -> None:
        """The last hop that is no proxy of ours. What stands before it, the client may have written itself; so does an end at what is no address."""
        found = scope["client"][0]
        for hop in reversed(hops[-MOST_HOPS:]):
            if not hop:
                break
            found = hop
            if not self._trusts(hop):
                break
        scope["client"] = (found, 0)


def forwarded_elements(header: str) -> list[dict[str, str]]:
    """The elements of a Forwarded header, each with its pairs; empty where it is malformed."""
    elements: list[dict[str, str]] = [{}]
    at = 0
    while at < len(header):
        match = _pair.match(header, at)
        if match is None:
            return []
        value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        elements[-1][match[1].lower()] = value
        at = match.end()
        if at < len(header):
            if header[at] == ",":
                elements.append({})
            elif header[at] != ";":
                return []
            at += 1
    return elements if elements[-1] else []


def _listed(values: list[str] | None) -> list[str]:
    return [one.strip() for value in values or () for one in value.split(",")]


def _address(hop: str) -> str:
    """The address of a hop, which may have a port; empty for what is none (`unknown`, an obfuscated name)."""
    hop = hop.strip().strip('"')
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ip_address(hop))
    except ValueError:
        return ""


def _take_scheme(scope: Scope, given: list[str]) -> None:
    if given and given[0].lower() in ("http", "https"):
        scope["scheme"] = given[0].lower()


def _take_host(scope: Scope, given: list[str]) -> None:
    if given and WELL_FORMED_HOST.fullmatch(given[0]):
        scope["headers"] = [*((name, value) for name, value in scope["headers"] if name != b"host"), (b"host", given[0].encode())]
