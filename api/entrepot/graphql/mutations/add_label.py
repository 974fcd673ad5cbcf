"""`addLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.interfaces import File
from entrepot.graphql.mutations.arguments import INPUT, FilesInput, first_files
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import labels


@strawberry.input(description="What `addLabel` needs to know.")
class AddLabelInput:
    """Files and a label."""

    files: FilesInput = strawberry.field(description="Which files: all of them, or none where one is not there or may not be changed.")
    label: str = strawberry.field(description="The label: a letter, then up to 127 letters, digits, `.`, `_`, `:`, `-`.")


@strawberry.type(description="What `addLabel` has done.")
class AddLabelPayload:
    """Files that were changed."""

    changed: int = strawberry.field(description="How many files got the label: those that had it are not counted.")
    files: list[File] = strawberry.field(description="Those files; the first 100 of them.")


AddLabelResult = Annotated[
    AddLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("AddLabelResult", description="What `addLabel` answers."),
]


@strawberry.type
class AddLabel:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Put a label on files, in one step; one that the namespace does not have yet is made. A locked label takes an administrator."
    )
    async def add_label(self, info: Info, input: Annotated[AddLabelInput, INPUT]) -> AddLabelResult | None:
        """See services/labels.py."""
        context = info.context.changing()
        selection = input.files.selection(info, "files")
        changed = await labels.label_files(context.site, actor=context.actor, selection=selection, label=input.label)
        return AddLabelPayload(changed=len(changed), files=await first_files(context, changed))
