"""`deleteNotice`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.notice import Notice
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import channelnotices


@strawberry.input(description="What `deleteNotice` needs to know.")
class DeleteNoticeInput:
    """A notice."""

    notice_id: strawberry.ID = strawberry.field(description="The id of the notice.")


@strawberry.type(description="What `deleteNotice` has done.")
class DeleteNoticePayload:
    """A notice that was deleted."""

    notice: Notice = strawberry.field(description="The notice as it was.")


DeleteNoticeResult = Annotated[
    DeleteNoticePayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("DeleteNoticeResult", description="What `deleteNotice` answers."),
]


@strawberry.type
class DeleteNotice:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Take a notice back. Takes an administrator of the namespace. An installer that has read it may keep it for up to two days."
    )
    async def delete_notice(self, info: Info, input: Annotated[DeleteNoticeInput, INPUT]) -> DeleteNoticeResult | None:
        """See services/channelnotices.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.notice_id, Notice, field="notice_id")
        return DeleteNoticePayload(notice=Notice.of(await channelnotices.delete_notice(context.site, actor=context.actor, notice=uuid)))
