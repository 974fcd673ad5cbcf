"""`removeCollaborator`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, known_package_after, renewed
from entrepot.graphql.package import Package
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import collaborators


@strawberry.input(description="What `removeCollaborator` needs to know.")
class RemoveCollaboratorInput:
    """A package and a user."""

    package_id: strawberry.ID = strawberry.field(description="The id of the package.")
    user: str = strawberry.field(description="The name of the user.")


@strawberry.type(description="What `removeCollaborator` has done.")
class RemoveCollaboratorPayload:
    """A collaborator who was removed."""

    package: Package | None = strawberry.field(description="The package as it is now. Null for who may not read it any more.")
    changed: bool = strawberry.field(description="Whether the user was one before.")


RemoveCollaboratorResult = Annotated[
    RemoveCollaboratorPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RemoveCollaboratorResult", description="What `removeCollaborator` answers."),
]


@strawberry.type
class RemoveCollaborator:
    """A field of Mutation."""

    @strawberry.mutation(
        description="End that a user may write to a package; collaborators may leave by themselves. Takes an administrator of the package."
    )
    async def remove_collaborator(self, info: Info, input: Annotated[RemoveCollaboratorInput, INPUT]) -> RemoveCollaboratorResult | None:
        """See services/collaborators.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.package_id, Package, field="package_id")
        changed = await collaborators.remove_collaborator(context.site, actor=context.actor, package=uuid, user=input.user)
        package = await known_package_after(await renewed(context), uuid)
        return RemoveCollaboratorPayload(package=package, changed=changed)
