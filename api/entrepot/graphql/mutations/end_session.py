"""`endSession`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import accounts


@strawberry.input(description="What `endSession` needs to know.")
class EndSessionInput:
    """One of the viewer's sessions."""

    session_id: strawberry.ID = strawberry.field(description="The id of the session, as `viewer { sessions { id } }` shows it.")


@strawberry.type(description="What `endSession` has done.")
class EndSessionPayload:
    """A session that has ended."""

    current: bool = strawberry.field(description="Whether it was the one that asks: then nobody is logged in here any more.")


EndSessionResult = Annotated[
    EndSessionPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("EndSessionResult", description="What `endSession` answers."),
]


@strawberry.type
class EndSession:
    """A field of Mutation."""

    @strawberry.mutation(description="End one of the viewer's sessions, such as that of a browser that was lost, at once and for ever. Others go on.")
    async def end_session(self, info: Info, input: Annotated[EndSessionInput, INPUT]) -> EndSessionResult | None:
        """See services/accounts.py."""
        context = info.context.changing()
        current = await accounts.end_session(actor=context.actor, id=input.session_id)
        if current and context.cookie:
            context.cookie.drop()
        return EndSessionPayload(current=current)
