"""`deleteGroup`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, renewed
from entrepot.graphql.namespace import Namespace
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `deleteGroup` needs to know.")
class DeleteGroupInput:
    """A group to delete."""

    group_id: strawberry.ID = strawberry.field(description="The id of the group.")


@strawberry.type(description="What `deleteGroup` has done.")
class DeleteGroupPayload:
    """A group that was deleted."""

    deleted_id: strawberry.ID = strawberry.field(description="The id that the group had.")
    name: str = strawberry.field(description="The name that the group had.")
    organization: Namespace = strawberry.field(description="The organization that it belonged to.")


DeleteGroupResult = Annotated[
    DeleteGroupPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("DeleteGroupResult", description="What `deleteGroup` answers."),
]


@strawberry.type
class DeleteGroup:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Delete a group, and what it gave to its members. `owners` cannot be deleted. Takes an administrator of the organization."
    )
    async def delete_group(self, info: Info, input: Annotated[DeleteGroupInput, INPUT]) -> DeleteGroupResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.group_id, Group, field="group_id")
        row = await groups.delete_group(context.site, actor=context.actor, group=uuid)
        organization = await (await renewed(context)).loaders.namespace.load(row["namespace_id"])
        return DeleteGroupPayload(deleted_id=input.group_id, name=row["name"], organization=organization)
