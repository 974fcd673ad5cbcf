"""`disableUser`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, user_now
from entrepot.graphql.namespace import User
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import users


@strawberry.input(description="What `disableUser` needs to know.")
class DisableUserInput:
    """A user."""

    name: str = strawberry.field(description="The user's name.")


@strawberry.type(description="What `disableUser` has done.")
class DisableUserPayload:
    """A user who is disabled."""

    user: User = strawberry.field(description="The user.")
    changed: bool = strawberry.field(description="Whether that was not so before.")


DisableUserResult = Annotated[
    DisableUserPayload | NotFoundError | PermissionDeniedError | ConflictError | InvalidInputError,
    strawberry.union("DisableUserResult", description="What `disableUser` answers."),
]


@strawberry.type
class DisableUser:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Disable a user: every session and token stops at once. What was published stays. For the administrators of the site."
    )
    async def disable_user(self, info: Info, input: Annotated[DisableUserInput, INPUT]) -> DisableUserResult | None:
        """See services/users.py."""
        context = info.context.changing()
        changed = await users.set_disabled(name=input.name, disabled=True, actor=context.actor)
        return DisableUserPayload(user=await user_now(context, input.name), changed=changed)
