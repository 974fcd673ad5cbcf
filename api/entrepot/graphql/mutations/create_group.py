"""`createGroup`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group, GroupPermission
from entrepot.graphql.mutations.arguments import INPUT, group_after, renewed
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `createGroup` needs to know.")
class CreateGroupInput:
    """A new group."""

    organization: str = strawberry.field(description="The name of the organization.")
    name: str = strawberry.field(description="Its name, unique in the organization: 1 to 64 letters, digits, `-`, `_`, `.`.")
    permission: GroupPermission = strawberry.field(description="What its members will be able to do.")
    everything: bool = strawberry.field(
        default=False,
        description="Whether it is about every package and the organization itself; else about packages to be named.",
    )


@strawberry.type(description="What `createGroup` has done.")
class CreateGroupPayload:
    """A group that was created."""

    group: Group = strawberry.field(description="The new group, without members.")


CreateGroupResult = Annotated[
    CreateGroupPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("CreateGroupResult", description="What `createGroup` answers."),
]


@strawberry.type
class CreateGroup:
    """A field of Mutation."""

    @strawberry.mutation(description="Create a group in an organization. Takes an administrator of it.")
    async def create_group(self, info: Info, input: Annotated[CreateGroupInput, INPUT]) -> CreateGroupResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = await groups.create_group(
            context.site,
            actor=context.actor,
            organization=input.organization,
            name=input.name,
            permission=input.permission.level,
            everything=input.everything,
        )
        await renewed(context)
        return CreateGroupPayload(group=await group_after(uuid))
