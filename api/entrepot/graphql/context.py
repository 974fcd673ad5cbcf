"""What resolvers share within one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import strawberry

if TYPE_CHECKING:
    from entrepot.graphql.loaders import Loaders
    from entrepot.services.actors import Actor
    from entrepot.site import Site


@dataclass(slots=True)
class Context:
    """The site, who asks, under which URL, and the loaders that batch what is asked."""

    site: Site
    actor: Actor
    base_url: str
    """The scheme and host of absolute URLs, without a trailing slash; empty where no address can be trusted, and URLs are paths."""
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        from entrepot.graphql.loaders import Loaders  # which imports the types, which import this module

        self.loaders = Loaders(self)

    def changing(self) -> Self:
        """The same, for a mutation: what loaders have read before it may be no longer true after it."""
        self.__post_init__()
        return self

    def channel_url(self, *, type: str, namespace: str, label: str = "main") -> str:
        """What an installer points at."""
        channel = f"{self.base_url}/{type}/{namespace}"
        return channel if label == "main" else f"{channel}/label/{label}"


Info = strawberry.Info[Context, Any]
