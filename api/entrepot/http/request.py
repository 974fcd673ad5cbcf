"""What the fast front reads from a request: each header it needs, once, without Starlette's Request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from entrepot.http.proxies import THROUGH_PROXY

if TYPE_CHECKING:
    from starlette.types import Scope

WANTED = {
    b"host": "host",
    b"accept": "accept",
    b"accept-encoding": "accept_encoding",
    b"authorization": "authorization",
    b"x-api-key": "api_key",
    b"cookie": "cookie",
    b"origin": "origin",
    b"sec-fetch-site": "fetch_site",
    b"sec-fetch-mode": "fetch_mode",
    b"if-none-match": "if_none_match",
    b"if-range": "if_range",
    b"range": "range",
}


class Facts:
    """The headers that decide an answer, as text; empty where absent. Those that are absent are the class's: a request has two or three of them."""

    host: str = ""
    accept: str = ""
    accept_encoding: str = ""
    authorization: str = ""
    api_key: str = ""
    cookie: str = ""
    origin: str = ""
    fetch_site: str = ""
    fetch_mode: str = ""
    if_none_match: str = ""
    if_range: str = ""
    range: str = ""
    path_token: str = ""
    path: str = ""
    """The address of a document or a file: `/<type>/<namespace>/…`, without a token. Empty where a route answers."""
    raw_path: bytes = b""
    """The same as the client has written it."""
    given: Callable[[], None] | None = None
    """What to call when the client was given the bytes from the first on; None where nobody counts that."""

    def __init__(self, scope: Scope) -> None:
        own = self.__dict__
        for name, value in scope["headers"]:
            wanted = WANTED.get(name)
            if wanted is not None:
                text = value.decode("latin-1")
                own[wanted] = f"{own[wanted]}, {text}" if own.get(wanted) else text
        self._scope = scope
        client = scope.get("client")
        self.address: str = client[0] if client else ""
        self.through_proxy: bool = THROUGH_PROXY in scope

    @property
    def anonymous(self) -> bool:
        """Whether nothing came along that may be a credential."""
        return not (self.authorization or self.api_key or self.path_token or self.cookie)

    @property
    def scheme(self) -> str:
        """How the client reached us: http or https."""
        return str(self._scope.get("scheme", "http"))

    @property
    def reading(self) -> bool:
        """Whether the method is one that changes nothing."""
        return self._scope.get("method") in ("GET", "HEAD")
