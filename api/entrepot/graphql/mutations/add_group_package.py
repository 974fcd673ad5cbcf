"""`addGroupPackage`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.group import Group
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, group_after, renewed
from entrepot.graphql.package import Package
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import groups


@strawberry.input(description="What `addGroupPackage` needs to know.")
class AddGroupPackageInput:
    """A group and a package."""

    group_id: strawberry.ID = strawberry.field(description="The id of the group.")
    package_id: strawberry.ID = strawberry.field(description="The id of the package.")


@strawberry.type(description="What `addGroupPackage` has done.")
class AddGroupPackagePayload:
    """A package that was added."""

    group: Group = strawberry.field(description="The group as it is now.")
    changed: bool = strawberry.field(description="Whether the package was not named in it before.")


AddGroupPackageResult = Annotated[
    AddGroupPackagePayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("AddGroupPackageResult", description="What `addGroupPackage` answers."),
]


@strawberry.type
class AddGroupPackage:
    """A field of Mutation."""

    @strawberry.mutation(description="Name a package of the organization in a group. Takes an administrator of the organization.")
    async def add_group_package(self, info: Info, input: Annotated[AddGroupPackageInput, INPUT]) -> AddGroupPackageResult | None:
        """See services/groups.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.group_id, Group, field="group_id")
        package = uuid_of(info, input.package_id, Package, field="package_id")
        changed = await groups.add_package(context.site, actor=context.actor, group=uuid, package=package)
        await renewed(context)
        return AddGroupPackagePayload(group=await group_after(uuid), changed=changed)
