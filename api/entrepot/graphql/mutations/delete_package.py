"""`deletePackage`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.namespace import Namespace
from entrepot.graphql.package import Package
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import packages


@strawberry.input(description="What `deletePackage` needs to know.")
class DeletePackageInput:
    """A package to delete."""

    package_id: strawberry.ID = strawberry.field(description="The id of the package.")
    confirmation: str = strawberry.field(description="Its full name, `namespace/package`, so that nobody deletes another one by mistake.")


@strawberry.type(description="What `deletePackage` has done.")
class DeletePackagePayload:
    """A package that was deleted."""

    deleted_id: strawberry.ID = strawberry.field(description="The id that the package had.")
    name: str = strawberry.field(description="The name that the package had.")
    namespace: Namespace = strawberry.field(description="The namespace that it lived in.")


DeletePackageResult = Annotated[
    DeletePackagePayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("DeletePackageResult", description="What `deletePackage` answers."),
]


@strawberry.type
class DeletePackage:
    """A field of Mutation."""

    @strawberry.mutation(description="Delete a package with its releases, files and names, for good. Takes an administrator.")
    async def delete_package(self, info: Info, input: Annotated[DeletePackageInput, INPUT]) -> DeletePackageResult | None:
        """See services/packages.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.package_id, Package, field="package_id")
        row = await packages.delete_package(context.site, actor=context.actor, package=uuid, confirmation=input.confirmation)
        namespace = await context.loaders.namespace.load(row["namespace_id"])
        return DeletePackagePayload(deleted_id=input.package_id, name=row["package"], namespace=namespace)
