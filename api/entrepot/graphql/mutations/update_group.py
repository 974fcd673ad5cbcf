"""`updateGroup`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group, GroupPermission
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, group_after, renewed
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `updateGroup` needs to know. What is left out or null stays as it is.")
class UpdateGroupInput:
    """Changes of a group."""

    group_id: strawberry.ID = strawberry.field(description="The id of the group.")
    name: str | None = strawberry.field(default=None, description="Its name.")
    permission: GroupPermission | None = strawberry.field(default=None, description="What its members may do, from now on.")
    everything: bool | None = strawberry.field(
        default=None, description="Whether it is about everything. If so, it forgets the packages that it named."
    )


@strawberry.type(description="What `updateGroup` has done.")
class UpdateGroupPayload:
    """A group that was changed."""

    group: Group = strawberry.field(description="The group as it is now.")


UpdateGroupResult = Annotated[
    UpdateGroupPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("UpdateGroupResult", description="What `updateGroup` answers."),
]


@strawberry.type
class UpdateGroup:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Rename a group, or change what it gives and is about. `owners` stays as it is. Takes an administrator of the organization."
    )
    async def update_group(self, info: Info, input: Annotated[UpdateGroupInput, INPUT]) -> UpdateGroupResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.group_id, Group, field="group_id")
        permission = None if input.permission is None else input.permission.level
        await groups.update_group(context.site, actor=context.actor, group=uuid, name=input.name, permission=permission, everything=input.everything)
        await renewed(context)
        return UpdateGroupPayload(group=await group_after(uuid))
