"""`revokeToken`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.token import Token
from entrepot.services import tokens


@strawberry.input(description="What `revokeToken` needs to know.")
class RevokeTokenInput:
    """A token to revoke."""

    token_id: strawberry.ID = strawberry.field(description="The id of the token.")


@strawberry.type(description="What `revokeToken` has done.")
class RevokeTokenPayload:
    """A token that was revoked."""

    token: Token = strawberry.field(description="The token as it is now.")


RevokeTokenResult = Annotated[
    RevokeTokenPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RevokeTokenResult", description="What `revokeToken` answers."),
]


@strawberry.type
class RevokeToken:
    """A field of Mutation."""

    @strawberry.mutation(description="Revoke a token, at once and for ever. One that is revoked stays as it is.")
    async def revoke_token(self, info: Info, input: Annotated[RevokeTokenInput, INPUT]) -> RevokeTokenResult | None:
        """See services/tokens.py."""
        context = info.context.changing()
        token = await tokens.revoke_token(token=uuid_of(info, input.token_id, Token, field="token_id"), actor=context.actor)
        return RevokeTokenPayload(token=Token.of({**asdict(token), "uuid": token.id, "scopes": " ".join(token.scopes)}))
