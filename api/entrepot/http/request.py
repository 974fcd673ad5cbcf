"""What the fast front reads from a request: each header it needs, once, without Starlette's Request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

WANTED = {
    b"host": "host",
    b"accept": "accept",
    b"accept-encoding": "accept_encoding",
    b"authorization": "authorization",
    b"x-api-key": "api_key",
    b"if-none-match": "if_none_match",
    b"if-range": "if_range",
    b"range": "range",
}


class Facts:
    """The headers that decide an answer, as text; empty where absent."""

    __slots__ = (
        "accept",
        "accept_encoding",
        "address",
        "api_key",
        "authorization",
        "given",
        "host",
        "if_none_match",
        "if_range",
        "path_token",
        "range",
    )

    def __init__(self, scope: Scope) -> None:
        self.given: Callable[[], None] | None = None
        """What to call when the client was given the bytes from the first on; None where nobody counts that."""
        self.host = self.accept = self.accept_encoding = self.authorization = self.api_key = ""
        self.if_none_match = self.if_range = self.range = self.path_token = ""
        for name, value in scope["headers"]:
            wanted = WANTED.get(name)
            if wanted is not None:
                held = getattr(self, wanted)
                setattr(self, wanted, f"{held}, {value.decode('latin-1')}" if held else value.decode("latin-1"))
        client = scope.get("client")
        self.address = client[0] if client else ""

    @property
    def anonymous(self) -> bool:
        """Whether no credential came along."""
        return not (self.authorization or self.api_key or self.path_token)
