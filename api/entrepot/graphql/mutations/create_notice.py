"""`createNotice`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.notice import Notice, NoticeLevel
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import channelnotices


@strawberry.input(description="What `createNotice` needs to know.")
class CreateNoticeInput:
    """A new notice."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    message: str = strawberry.field(description="What is told: up to 1,000 characters, line breaks among them.")
    expires_at: datetime = strawberry.field(description="Until when it is told, at most 366 days from now.")
    level: NoticeLevel = strawberry.field(default=NoticeLevel.INFO, description="How much it matters.")


@strawberry.type(description="What `createNotice` has done.")
class CreateNoticePayload:
    """A notice that was made."""

    notice: Notice = strawberry.field(description="The new notice.")


CreateNoticeResult = Annotated[
    CreateNoticePayload | NotFoundError | PermissionDeniedError | ConflictError | InvalidInputError,
    strawberry.union("CreateNoticeResult", description="What `createNotice` answers."),
]


@strawberry.type
class CreateNotice:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Tell something to whoever installs from a namespace, in the formats that installers read (conda: `notices.json`). "
        "Takes an administrator of the namespace; 20 notices at a time."
    )
    async def create_notice(self, info: Info, input: Annotated[CreateNoticeInput, INPUT]) -> CreateNoticeResult | None:
        """See services/channelnotices.py."""
        context = info.context.changing()
        row = await channelnotices.create_notice(
            context.site,
            actor=context.actor,
            namespace=input.namespace,
            message=input.message,
            level=input.level.name.lower(),
            expires_at=int(input.expires_at.timestamp() * 1000),
        )
        return CreateNoticePayload(notice=Notice.of(row))
