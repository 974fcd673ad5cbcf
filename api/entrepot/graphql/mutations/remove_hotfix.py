"""`removeHotfix`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.interfaces import File
from entrepot.graphql.mutations.arguments import INPUT, FilesInput, first_files
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import hotfixes


@strawberry.input(description="What `removeHotfix` needs to know.")
class RemoveHotfixInput:
    """Files."""

    files: FilesInput = strawberry.field(description="Which files: all of them, or none where one is not there.")


@strawberry.type(description="What `removeHotfix` has done.")
class RemoveHotfixPayload:
    """Files that were changed."""

    changed: int = strawberry.field(description="How many files had a hotfix.")
    files: list[File] = strawberry.field(description="Those files; the first 100 of them.")


RemoveHotfixResult = Annotated[
    RemoveHotfixPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RemoveHotfixResult", description="What `removeHotfix` answers."),
]


@strawberry.type
class RemoveHotfix:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Undo the hotfix of files, in one step: indexes say again what the files say of themselves. Takes an administrator of the "
        "namespace."
    )
    async def remove_hotfix(self, info: Info, input: Annotated[RemoveHotfixInput, INPUT]) -> RemoveHotfixResult | None:
        """See services/hotfixes.py."""
        context = info.context.changing()
        selection = input.files.selection(info, "files")
        changed = await hotfixes.remove_hotfix(context.site, actor=context.actor, selection=selection)
        return RemoveHotfixPayload(changed=len(changed), files=await first_files(context, changed))
