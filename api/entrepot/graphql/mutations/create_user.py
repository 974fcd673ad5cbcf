"""`createUser`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, user_now
from entrepot.graphql.namespace import User
from entrepot.graphql.problems import ConflictError, InvalidInputError, PermissionDeniedError
from entrepot.services import users


@strawberry.input(description="What `createUser` needs to know.")
class CreateUserInput:
    """A new user."""

    name: str = strawberry.field(description="The name of the user, and of the namespace that comes with it.")
    password: str | None = strawberry.field(
        default=None, description="The password: 8 to 1,024 characters, and not the name. Left out: the user cannot log in."
    )
    admin: bool = strawberry.field(
        default=False, description="Whether the user may do everything on this site. Takes a credential that covers `all`."
    )


@strawberry.type(description="What `createUser` has done.")
class CreateUserPayload:
    """A user who was created."""

    user: User = strawberry.field(description="The new user.")


CreateUserResult = Annotated[
    CreateUserPayload | PermissionDeniedError | ConflictError | InvalidInputError,
    strawberry.union("CreateUserResult", description="What `createUser` answers."),
]


@strawberry.type
class CreateUser:
    """A field of Mutation."""

    @strawberry.mutation(description="Create a user and the namespace of the same name. For the administrators of the site.")
    async def create_user(self, info: Info, input: Annotated[CreateUserInput, INPUT]) -> CreateUserResult | None:
        """See services/users.py."""
        context = info.context.changing()
        registry, actor = context.site.registry, context.actor
        await users.create_user(registry, name=input.name, password=input.password, admin=input.admin, actor=actor)
        return CreateUserPayload(user=await user_now(context, input.name))
