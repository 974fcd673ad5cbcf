"""`removeRelease`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, package_after
from entrepot.graphql.package import Package
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.release import Release
from entrepot.services import releases


@strawberry.input(description="What `removeRelease` needs to know.")
class RemoveReleaseInput:
    """A release to remove."""

    release_id: strawberry.ID = strawberry.field(description="The id of the release.")


@strawberry.type(description="What `removeRelease` has done.")
class RemoveReleasePayload:
    """A release that was removed."""

    removed_id: strawberry.ID = strawberry.field(description="The id that the release had.")
    version: str = strawberry.field(description="The version that the release had.")
    package: Package = strawberry.field(description="The package that it belonged to, which stays.")


RemoveReleaseResult = Annotated[
    RemoveReleasePayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RemoveReleaseResult", description="What `removeRelease` answers."),
]


@strawberry.type
class RemoveRelease:
    """A field of Mutation."""

    @strawberry.mutation(description="Remove a release with all its files.")
    async def remove_release(self, info: Info, input: Annotated[RemoveReleaseInput, INPUT]) -> RemoveReleaseResult | None:
        """See services/releases.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.release_id, Release, field="release_id")
        row = await releases.remove_release(context.site, actor=context.actor, release=uuid)
        return RemoveReleasePayload(removed_id=input.release_id, version=row["version"], package=await package_after(context, row["uuid"]))
