"""The way from a URL that names no version to the file that is the newest now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.http.contents import EMPTY, Content, Header

if TYPE_CHECKING:
    from entrepot.http.request import Facts


class NewestContent(Content):
    """A redirect that is asked anew each time; the location is relative, and so keeps a token that stands in the path."""

    __slots__ = ()

    def __init__(self, location: str, *, private: bool) -> None:
        headers: list[Header] = [
            (b"location", location.encode()),
            (b"cache-control", b"private, no-cache" if private else b"no-cache"),
            (b"referrer-policy", b"no-referrer"),
        ]
        if not private:
            headers.append((b"access-control-allow-origin", b"*"))
        super().__init__(headers, "", 0)
        self.start = {"type": "http.response.start", "status": 302, "headers": [*headers, (b"content-length", b"0")]}

    def made(self, facts: Facts, method: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The same for every method, and whatever the client has already."""
        return self.start, EMPTY
