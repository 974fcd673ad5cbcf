"""The way from a file's old address to where it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from entrepot.http.newest import NewestContent

if TYPE_CHECKING:
    from entrepot.http.request import Facts


class MovedContent(NewestContent):
    """A redirect for good, asked anew each time all the same: the address may come to mean another file."""

    __slots__ = ()

    def __init__(self, location: str, *, private: bool) -> None:
        super().__init__(location, private=private)
        self.start = {**self.start, "status": 301}


def new_location(facts: Facts, namespace: str) -> str | None:
    """The requested address with another namespace, relative to itself: what stands in front of it, a token too, stays and is not said.

    None for an address that hides a slash, whose segments a client counts otherwise; and where the request is for no address below a namespace.
    """
    below = facts.path.count("/") - 2
    asked = facts.raw_path.decode("latin-1")
    if below < 1 or not asked or "%2f" in asked.lower():
        return None
    return "/".join([*[".."] * below, quote(namespace), *asked.split("/")[-below:]])
