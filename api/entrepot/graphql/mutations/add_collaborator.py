"""`addCollaborator`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, package_after, renewed
from entrepot.graphql.package import Package
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import collaborators


@strawberry.input(description="What `addCollaborator` needs to know.")
class AddCollaboratorInput:
    """A package and a user."""

    package_id: strawberry.ID = strawberry.field(description="The id of the package.")
    user: str = strawberry.field(description="The name of the user.")


@strawberry.type(description="What `addCollaborator` has done.")
class AddCollaboratorPayload:
    """A collaborator who was added."""

    package: Package = strawberry.field(description="The package as it is now.")
    changed: bool = strawberry.field(description="Whether the user was none before.")


AddCollaboratorResult = Annotated[
    AddCollaboratorPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("AddCollaboratorResult", description="What `addCollaborator` answers."),
]


@strawberry.type
class AddCollaborator:
    """A field of Mutation."""

    @strawberry.mutation(description="Let a user write to a package, and read it where it is private. Takes an administrator of the package.")
    async def add_collaborator(self, info: Info, input: Annotated[AddCollaboratorInput, INPUT]) -> AddCollaboratorResult | None:
        """See services/collaborators.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.package_id, Package, field="package_id")
        changed = await collaborators.add_collaborator(context.site, actor=context.actor, package=uuid, user=input.user)
        package = await package_after(await renewed(context), uuid)
        return AddCollaboratorPayload(package=package, changed=changed)
