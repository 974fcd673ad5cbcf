"""`revokeToken`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.token import Token
from entrepot.services import tokens
from entrepot.services.catalog.tokens import token_by_id


@strawberry.input(description="What `revokeToken` needs to know.")
class RevokeTokenInput:
    """A token to revoke."""

    token_id: strawberry.ID = strawberry.field(description="The id of the token.")


@strawberry.type(description="What `revokeToken` has done.")
class RevokeTokenPayload:
    """A token that was revoked."""

    token: Token = strawberry.field(description="The token as it is now.")
    also_revoked: int = strawberry.field(description="How many tokens were revoked with it: those that were made with it, and with those.")


RevokeTokenResult = Annotated[
    RevokeTokenPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RevokeTokenResult", description="What `revokeToken` answers."),
]


@strawberry.type
class RevokeToken:
    """A field of Mutation."""

    @strawberry.mutation(description="Revoke a token and those that were made with it, at once and for ever. One that is revoked stays as it is.")
    async def revoke_token(self, info: Info, input: Annotated[RevokeTokenInput, INPUT]) -> RevokeTokenResult | None:
        """See services/tokens.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.token_id, Token, field="token_id")
        revocation = await tokens.revoke_token(token=uuid, actor=context.actor)
        return RevokeTokenPayload(token=Token.of(await token_by_id(uuid)), also_revoked=len(revocation.others))
