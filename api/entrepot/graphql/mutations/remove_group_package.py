"""`removeGroupPackage`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, group_after, renewed
from entrepot.graphql.package import Package
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `removeGroupPackage` needs to know.")
class RemoveGroupPackageInput:
    """A group and a package."""

    group_id: strawberry.ID = strawberry.field(description="The id of the group.")
    package_id: strawberry.ID = strawberry.field(description="The id of the package.")


@strawberry.type(description="What `removeGroupPackage` has done.")
class RemoveGroupPackagePayload:
    """A package that was removed."""

    group: Group = strawberry.field(description="The group as it is now.")
    changed: bool = strawberry.field(description="Whether the package was named in it before.")


RemoveGroupPackageResult = Annotated[
    RemoveGroupPackagePayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RemoveGroupPackageResult", description="What `removeGroupPackage` answers."),
]


@strawberry.type
class RemoveGroupPackage:
    """A field of Mutation."""

    @strawberry.mutation(description="Name a package in a group no more. Takes an administrator of the organization.")
    async def remove_group_package(self, info: Info, input: Annotated[RemoveGroupPackageInput, INPUT]) -> RemoveGroupPackageResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.group_id, Group, field="group_id")
        package = uuid_of(info, input.package_id, Package, field="package_id")
        changed = await groups.remove_package(context.site, actor=context.actor, group=uuid, package=package)
        await renewed(context)
        return RemoveGroupPackagePayload(group=await group_after(uuid), changed=changed)
