"""`updatePackage`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, package_after
from entrepot.graphql.package import Package
from entrepot.graphql.permission import Visibility
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import packages


@strawberry.input(description="What `updatePackage` needs to know. What is left out or null stays as it is.")
class UpdatePackageInput:
    """Changes of a package."""

    package_id: strawberry.ID = strawberry.field(description="The id of the package.")
    summary: str | None = strawberry.field(default=None, description="What it is, in a line. Where it is empty, the next upload's is taken.")
    description: str | None = strawberry.field(default=None, description="What it is, at length. Where it is empty, the next upload's is taken.")
    visibility: Visibility | None = strawberry.field(default=None, description="Who may read it, from now on. Takes an administrator.")


@strawberry.type(description="What `updatePackage` has done.")
class UpdatePackagePayload:
    """A package that was changed."""

    package: Package = strawberry.field(description="The package as it is now.")


UpdatePackageResult = Annotated[
    UpdatePackagePayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("UpdatePackageResult", description="What `updatePackage` answers."),
]


@strawberry.type
class UpdatePackage:
    """A field of Mutation."""

    @strawberry.mutation(description="Describe a package, or decide who may read it. A package made private is gone from every index at once.")
    async def update_package(self, info: Info, input: Annotated[UpdatePackageInput, INPUT]) -> UpdatePackageResult | None:
        """See services/packages.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.package_id, Package, field="package_id")
        private = None if input.visibility is None else input.visibility is Visibility.PRIVATE
        await packages.update_package(
            context.site, actor=context.actor, package=uuid, summary=input.summary, description=input.description, private=private
        )
        return UpdatePackagePayload(package=await package_after(context, uuid))
