"""`createPackage`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, package_after
from entrepot.graphql.package import Package
from entrepot.graphql.permission import Visibility
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import packages


@strawberry.input(description="What `createPackage` needs to know.")
class CreatePackageInput:
    """A new package."""

    namespace: str = strawberry.field(description="The name of the namespace that it will live in.")
    name: str = strawberry.field(description="Its name: 1 to 255 letters, digits, `-`, `_`, `.`, `+`.")
    summary: str = strawberry.field(default="", description="What it is, in a line.")
    description: str = strawberry.field(default="", description="What it is, at length.")
    visibility: Visibility | None = strawberry.field(default=None, description="Who may read it. Left out: as the namespace has it for new packages.")


@strawberry.type(description="What `createPackage` has done.")
class CreatePackagePayload:
    """A package that was created."""

    package: Package = strawberry.field(description="The new package.")


CreatePackageResult = Annotated[
    CreatePackagePayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("CreatePackageResult", description="What `createPackage` answers."),
]


@strawberry.type
class CreatePackage:
    """A field of Mutation."""

    @strawberry.mutation(description="Create a package before its first file, to describe it or to decide who may read it.")
    async def create_package(self, info: Info, input: Annotated[CreatePackageInput, INPUT]) -> CreatePackageResult | None:
        """See services/packages.py."""
        context = info.context.changing()
        uuid = await packages.create_package(
            context.site,
            actor=context.actor,
            namespace=input.namespace,
            name=input.name,
            summary=input.summary,
            description=input.description,
            private=None if input.visibility is None else input.visibility is Visibility.PRIVATE,
        )
        return CreatePackagePayload(package=await package_after(context, uuid))
