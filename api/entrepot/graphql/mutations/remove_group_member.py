"""`removeGroupMember`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, known_group_after, renewed
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `removeGroupMember` needs to know.")
class RemoveGroupMemberInput:
    """A group and a user."""

    group_id: strawberry.ID = strawberry.field(description="The id of the group.")
    user: str = strawberry.field(description="The name of the user.")


@strawberry.type(description="What `removeGroupMember` has done.")
class RemoveGroupMemberPayload:
    """A member who was removed."""

    group: Group | None = strawberry.field(description="The group as it is now. Null for who belongs to the organization no more.")
    changed: bool = strawberry.field(description="Whether the user was in it before.")


RemoveGroupMemberResult = Annotated[
    RemoveGroupMemberPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("RemoveGroupMemberResult", description="What `removeGroupMember` answers."),
]


@strawberry.type
class RemoveGroupMember:
    """A field of Mutation."""

    @strawberry.mutation(description="Take a user out of a group; members may leave by themselves. The last owner who is not disabled stays.")
    async def remove_group_member(self, info: Info, input: Annotated[RemoveGroupMemberInput, INPUT]) -> RemoveGroupMemberResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.group_id, Group, field="group_id")
        changed = await groups.remove_member(context.site, actor=context.actor, group=uuid, user=input.user)
        context = await renewed(context)
        return RemoveGroupMemberPayload(group=await known_group_after(context, uuid), changed=changed)
