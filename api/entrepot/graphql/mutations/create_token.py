"""`createToken`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.package import Package
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.token import Token
from entrepot.services.catalog.tokens import token_of_secret
from entrepot.services.delegation import AS_LONG_AS_ALLOWED, delegate_token
from entrepot.services.tokens import parse_lifetime


@strawberry.input(description="What `createToken` needs to know.")
class CreateTokenInput:
    """A new token."""

    name: str = strawberry.field(description="What to call it, so that you know later what it was for.")
    scopes: list[str] = strawberry.field(description="What it may be used for. The token that makes it must cover each of them.")
    expires_in: str | None = strawberry.field(
        default=None,
        description="How long it lives: `90m`, `12h`, `30d`, `2w`, `1y`, `never`. Not longer than the token that makes it. "
        "Left out: a year, or as long as that one.",
    )
    owner: str | None = strawberry.field(
        default=None,
        description="Whose token it will be: an organization that the viewer administers, by its name. It acts as the organization, with write. "
        "Left out: the viewer's own.",
    )
    package_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The one package that it is bound to: it works there as its owner does, and nowhere else. Left out: it is bound to none.",
    )


@strawberry.type(description="What `createToken` has done.")
class CreateTokenPayload:
    """A token that was made."""

    token: Token = strawberry.field(description="The new token.")
    secret: str = strawberry.field(description="What to send as `Authorization: Bearer …`. It is shown here, and never again.")


CreateTokenResult = Annotated[
    CreateTokenPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("CreateTokenResult", description="What `createToken` answers."),
]


@strawberry.type
class CreateToken:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Make a token of the viewer's own, or of an organization that it administers: never for more, for longer, or bound to less, than "
        "the token that makes it, and revoked with it."
    )
    async def create_token(self, info: Info, input: Annotated[CreateTokenInput, INPUT]) -> CreateTokenResult | None:
        """See services/delegation.py."""
        context = info.context.changing()
        lifetime = AS_LONG_AS_ALLOWED if input.expires_in is None else parse_lifetime(input.expires_in)
        package = None if input.package_id is None else uuid_of(info, input.package_id, Package, field="package_id")
        secret = await delegate_token(
            context.site,
            actor=context.actor,
            name=input.name,
            scopes=input.scopes,
            expires_in=lifetime,
            owner=input.owner,
            package=package,
        )
        return CreateTokenPayload(token=Token.of(await token_of_secret(secret)), secret=secret)
