"""`logout`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, PermissionDeniedError
from entrepot.services import accounts


@strawberry.input(description="What `logout` needs to know.")
class LogoutInput:
    """Which sessions to end."""

    everywhere: bool = strawberry.field(default=False, description="End every session of the viewer's, not only the one that asks.")


@strawberry.type(description="What `logout` has done.")
class LogoutPayload:
    """Sessions that have ended."""

    ended: int = strawberry.field(description="How many sessions have ended; 0 where nobody was logged in.")


LogoutResult = Annotated[
    LogoutPayload | PermissionDeniedError | InvalidInputError,
    strawberry.union("LogoutResult", description="What `logout` answers."),
]


@strawberry.type
class Logout:
    """A field of Mutation."""

    @strawberry.mutation(description="End the session whose cookie the request came with, at once and for ever. The viewer's tokens go on.")
    async def logout(self, info: Info, input: Annotated[LogoutInput, INPUT]) -> LogoutResult | None:
        """See services/accounts.py."""
        context = info.context.changing()
        cookie = context.own_cookie()
        ended = await accounts.log_out(actor=context.actor, secret=cookie.secret, everywhere=input.everywhere)
        cookie.drop()
        return LogoutPayload(ended=ended)
