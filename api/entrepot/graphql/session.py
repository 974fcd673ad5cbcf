"""Session in GraphQL."""

from __future__ import annotations

from typing import Self

import strawberry

from entrepot.graphql.scalars import Moment
from entrepot.services import sessions


@strawberry.type(description="A login with a password that goes on, in one browser or program.")
class Session:
    """A session."""

    id: strawberry.ID = strawberry.field(description="Tells it from others.")
    created_at: Moment = strawberry.field(description="When it was begun.")
    used_at: Moment = strawberry.field(description="When it was used last, to the hour.")
    expires_at: Moment = strawberry.field(description="When it ends, unless it is used before.")
    address: str = strawberry.field(description="From where it was begun.")
    agent: str = strawberry.field(description="What the browser or program said that it is; anybody may say anything.")
    current: bool = strawberry.field(description="Whether it is the one that asks.")

    @classmethod
    def of(cls, one: sessions.Session) -> Self:
        """From the service's."""
        times = {"created_at": Moment(one.created_at), "used_at": Moment(one.used_at), "expires_at": Moment(one.expires_at)}
        return cls(id=strawberry.ID(one.id), address=one.address, agent=one.agent, current=one.current, **times)
