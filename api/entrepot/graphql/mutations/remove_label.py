"""`removeLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.interfaces import File
from entrepot.graphql.mutations.arguments import INPUT, FilesInput, first_files
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import labels


@strawberry.input(description="What `removeLabel` needs to know.")
class RemoveLabelInput:
    """Files and a label."""

    files: FilesInput = strawberry.field(description="Which files: all of them, or none where one is not there or may not be changed.")
    label: str = strawberry.field(description="The label: a letter, then up to 127 letters, digits, `.`, `_`, `:`, `-`.")


@strawberry.type(description="What `removeLabel` has done.")
class RemoveLabelPayload:
    """Files that were changed."""

    changed: int = strawberry.field(description="How many files lost the label: those that had not had it are not counted.")
    files: list[File] = strawberry.field(description="Those files; the first 100 of them.")


RemoveLabelResult = Annotated[
    RemoveLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RemoveLabelResult", description="What `removeLabel` answers."),
]


@strawberry.type
class RemoveLabel:
    """A field of Mutation."""

    @strawberry.mutation(description="Take a label off files, in one step. A locked label takes an administrator.")
    async def remove_label(self, info: Info, input: Annotated[RemoveLabelInput, INPUT]) -> RemoveLabelResult | None:
        """See services/labels.py."""
        context = info.context.changing()
        selection = input.files.selection(info, "files")
        changed = await labels.unlabel_files(context.site, actor=context.actor, selection=selection, label=input.label)
        return RemoveLabelPayload(changed=len(changed), files=await first_files(context, changed))
