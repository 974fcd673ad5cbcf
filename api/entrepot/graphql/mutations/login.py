"""`login`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, viewer_now
from entrepot.graphql.namespace import User
from entrepot.graphql.problems import InvalidInputError, PermissionDeniedError, TooManyRequestsError
from entrepot.services import accounts


@strawberry.input(description="What `login` needs to know.")
class LoginInput:
    """Who somebody is."""

    name: str = strawberry.field(description="The user's name, in whatever case.")
    password: str = strawberry.field(description="The user's password.")


@strawberry.type(description="What `login` has done.")
class LoginPayload:
    """A session that has begun."""

    viewer: User = strawberry.field(description="The user who is logged in now.")


LoginResult = Annotated[
    LoginPayload | PermissionDeniedError | InvalidInputError | TooManyRequestsError,
    strawberry.union("LoginResult", description="What `login` answers."),
]


@strawberry.type
class Login:
    """A field of Mutation."""

    @strawberry.mutation(description="Begin a session, which a cookie carries. A session that the request came with ends. Once in an operation.")
    async def login(self, info: Info, input: Annotated[LoginInput, INPUT]) -> LoginResult | None:
        """See services/accounts.py."""
        cookie = info.context.own_cookie()
        address = info.context.actor.address
        opened = await accounts.log_in(name=input.name, password=input.password, address=address, agent=cookie.agent, replaces=cookie.secret)
        return LoginPayload(viewer=await viewer_now(info.context.begin(opened)))
