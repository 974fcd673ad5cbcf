"""Absolute URLs: from the setting, or from the request's host where that is a local one; never from an unchecked Host header."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import Scope

    from entrepot.site import Site


def base_url(site: Site, scope: Scope) -> str:
    """The site's URL without a trailing slash; empty (so that URLs stay relative to the host) where none can be trusted."""
    if site.settings.public_url:
        return site.settings.public_url.rstrip("/")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return f"{scope['scheme']}://{host}" if is_local(host) else ""


def is_local(host: str) -> bool:
    """Whether a Host header names this machine by a loopback name or address, and nothing else stands in it."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not name or parts.netloc != host or parts.username is not None or parts.path:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
