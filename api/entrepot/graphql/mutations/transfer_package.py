"""`transferPackage`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, package_after
from entrepot.graphql.package import Package
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import transfers


@strawberry.input(description="What `transferPackage` needs to know.")
class TransferPackageInput:
    """A package and where it goes."""

    package_id: strawberry.ID = strawberry.field(description="The id of the package, which stays the same.")
    namespace: str = strawberry.field(description="The name of the namespace that it goes to, which the viewer administers.")


@strawberry.type(description="What `transferPackage` has done.")
class TransferPackagePayload:
    """A package that has moved."""

    package: Package = strawberry.field(description="The package where it is now.")


TransferPackageResult = Annotated[
    TransferPackagePayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("TransferPackageResult", description="What `transferPackage` answers."),
]


@strawberry.type
class TransferPackage:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Move a package to another namespace, with its releases, files, labels, downloads and collaborators. Takes an administrator of "
        "both. Whoever may read it finds it under its old name too, until that is taken again; channels show it in its new namespace alone."
    )
    async def transfer_package(self, info: Info, input: Annotated[TransferPackageInput, INPUT]) -> TransferPackageResult | None:
        """See services/transfers.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.package_id, Package, field="package_id")
        await transfers.transfer_package(context.site, actor=context.actor, package=uuid, to=input.namespace)
        return TransferPackagePayload(package=await package_after(context, uuid))
