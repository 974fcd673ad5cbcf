"""`enableUser`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, user_now
from entrepot.graphql.namespace import User
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import users


@strawberry.input(description="What `enableUser` needs to know.")
class EnableUserInput:
    """A user."""

    name: str = strawberry.field(description="The user's name.")


@strawberry.type(description="What `enableUser` has done.")
class EnableUserPayload:
    """A user who is enabled again."""

    user: User = strawberry.field(description="The user.")
    changed: bool = strawberry.field(description="Whether that was not so before.")


EnableUserResult = Annotated[
    EnableUserPayload | NotFoundError | PermissionDeniedError | ConflictError | InvalidInputError,
    strawberry.union("EnableUserResult", description="What `enableUser` answers."),
]


@strawberry.type
class EnableUser:
    """A field of Mutation."""

    @strawberry.mutation(description="Enable a user again: tokens that have not ended since work again. For the administrators of the site.")
    async def enable_user(self, info: Info, input: Annotated[EnableUserInput, INPUT]) -> EnableUserResult | None:
        """See services/users.py."""
        context = info.context.changing()
        changed = await users.set_disabled(name=input.name, disabled=False, actor=context.actor)
        return EnableUserPayload(user=await user_now(context, input.name), changed=changed)
