"""What resolvers share within one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import strawberry

if TYPE_CHECKING:
    from entrepot.graphql.loaders import Loaders
    from entrepot.http.cookies import SessionCookie
    from entrepot.services.actors import Actor
    from entrepot.services.sessions import Opened
    from entrepot.site import Site


@dataclass(slots=True)
class Context:
    """The site, who asks, under which URL, and the loaders that batch what is asked."""

    site: Site
    actor: Actor
    base_url: str
    """The scheme and host of absolute URLs, without a trailing slash; empty where no address can be trusted, and URLs are paths."""
    cookie: SessionCookie | None = None
    """The session cookie of the request and its answer; None where the schema is asked by no browser, nor as one asks."""
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        from entrepot.graphql.loaders import Loaders  # which imports the types, which import this module

        self.loaders = Loaders(self)

    def changing(self) -> Self:
        """The same, for a mutation: what loaders have read before it may be no longer true after it."""
        self.__post_init__()
        return self

    def own_cookie(self) -> SessionCookie:
        """The session cookie, for who logs in or out. Raises PermissionDenied where a page of another site has made the request."""
        assert self.cookie is not None, "only `/graphql` logs in and out"
        self.cookie.require_own_page()
        return self.cookie

    def begin(self, opened: Opened) -> Self:
        """Give the browser a session that was begun; what is asked next is asked as the one who has logged in."""
        self.own_cookie().hold(opened)
        self.actor = opened.actor
        return self.changing()

    def channel_url(self, *, type: str, namespace: str, label: str = "main") -> str:
        """What an installer points at."""
        channel = f"{self.base_url}/{type}/{namespace}"
        return channel if label == "main" else f"{channel}/label/{label}"


Info = strawberry.Info[Context, Any]
