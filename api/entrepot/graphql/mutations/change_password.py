"""`changePassword`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, viewer_now
from entrepot.graphql.namespace import User
from entrepot.graphql.problems import InvalidInputError, PermissionDeniedError, TooManyRequestsError
from entrepot.services import accounts


@strawberry.input(description="What `changePassword` needs to know.")
class ChangePasswordInput:
    """A password for another."""

    old_password: str = strawberry.field(description="The viewer's password until now.")
    new_password: str = strawberry.field(description="The password from now on: 8 to 1,024 characters, and not the name.")


@strawberry.type(description="What `changePassword` has done.")
class ChangePasswordPayload:
    """A password that was changed."""

    viewer: User = strawberry.field(description="The user who has another password now.")


ChangePasswordResult = Annotated[
    ChangePasswordPayload | PermissionDeniedError | InvalidInputError | TooManyRequestsError,
    strawberry.union("ChangePasswordResult", description="What `changePassword` answers."),
]


@strawberry.type
class ChangePassword:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Change the viewer's password. All the viewer's sessions end; the one that asks goes on with a new secret. Tokens go on."
    )
    async def change_password(self, info: Info, input: Annotated[ChangePasswordInput, INPUT]) -> ChangePasswordResult | None:
        """See services/accounts.py."""
        context = info.context
        agent = context.cookie.agent if context.cookie else ""
        opened = await accounts.change_password(actor=context.actor, old=input.old_password, new=input.new_password, agent=agent)
        return ChangePasswordPayload(viewer=await viewer_now(context.begin(opened) if opened else context.changing()))
