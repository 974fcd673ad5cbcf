"""Tokens that are made through the API, for tests of what they open."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
from changes import done
from house import House


class Minted(NamedTuple):
    """A token that somebody has made."""

    house: House
    secret: str
    id: str

    @property
    def client(self) -> httpx.AsyncClient:
        """A client that sends it."""
        return self.house.client(Authorization=f"Bearer {self.secret}")

    async def alive(self) -> bool:
        """Whether it opens anything."""
        return (await self.client.get("/toy/alice/listing")).status_code != 401


async def mint(house: House, client: httpx.AsyncClient, *scopes: str, name: str = "new", **more: Any) -> Minted:
    """A token that is made with a client: of all scopes, unless some are named."""
    made = await done(client, "createToken", {"name": name, "scopes": list(scopes or ("all",)), **more}, "secret token { id }")
    return Minted(house, made["secret"], made["token"]["id"])
