"""`addGroupMember`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, group_after, renewed
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `addGroupMember` needs to know.")
class AddGroupMemberInput:
    """A group and a user."""

    group_id: strawberry.ID = strawberry.field(description="The id of the group.")
    user: str = strawberry.field(description="The name of the user.")


@strawberry.type(description="What `addGroupMember` has done.")
class AddGroupMemberPayload:
    """A member who was added."""

    group: Group = strawberry.field(description="The group as it is now.")
    changed: bool = strawberry.field(description="Whether the user was not in it before.")


AddGroupMemberResult = Annotated[
    AddGroupMemberPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("AddGroupMemberResult", description="What `addGroupMember` answers."),
]


@strawberry.type
class AddGroupMember:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Add a user to a group; one who is in it stays. Takes an administrator of the organization, and for `owners` an owner."
    )
    async def add_group_member(self, info: Info, input: Annotated[AddGroupMemberInput, INPUT]) -> AddGroupMemberResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.group_id, Group, field="group_id")
        changed = await groups.add_member(context.site, actor=context.actor, group=uuid, user=input.user)
        await renewed(context)
        return AddGroupMemberPayload(group=await group_after(uuid), changed=changed)
