"""`register`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, viewer_now
from entrepot.graphql.namespace import User
from entrepot.graphql.problems import ConflictError, InvalidInputError, PermissionDeniedError, TooManyRequestsError
from entrepot.services import accounts


@strawberry.input(description="What `register` needs to know.")
class RegisterInput:
    """A new user."""

    name: str = strawberry.field(description="The name of the user, and of the namespace that comes with it.")
    password: str = strawberry.field(description="The password: 8 to 1,024 characters, and not the name.")


@strawberry.type(description="What `register` has done.")
class RegisterPayload:
    """A user who has made an account."""

    viewer: User = strawberry.field(description="The new user, who is logged in now.")


RegisterResult = Annotated[
    RegisterPayload | PermissionDeniedError | ConflictError | InvalidInputError | TooManyRequestsError,
    strawberry.union("RegisterResult", description="What `register` answers."),
]


@strawberry.type
class Register:
    """A field of Mutation."""

    @strawberry.mutation(description="Make an account of one's own and log in, where the site's setting `registration` allows that.")
    async def register(self, info: Info, input: Annotated[RegisterInput, INPUT]) -> RegisterResult | None:
        """See services/accounts.py."""
        context = info.context
        cookie = context.own_cookie()
        opened = await accounts.register(
            context.site,
            name=input.name,
            password=input.password,
            address=context.actor.address,
            agent=cookie.agent,
            replaces=cookie.secret,
        )
        return RegisterPayload(viewer=await viewer_now(context.begin(opened)))
