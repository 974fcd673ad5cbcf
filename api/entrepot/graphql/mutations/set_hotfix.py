"""`setHotfix`."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from entrepot.errors import ValidationError
from entrepot.graphql.context import Info
from entrepot.graphql.interfaces import File
from entrepot.graphql.mutations.arguments import INPUT, FilesInput, first_files
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import hotfixes


@strawberry.input(description="What `setHotfix` needs to know.")
class SetHotfixInput:
    """Files and what indexes shall say of them."""

    files: FilesInput = strawberry.field(description="Which files: all of them, or none where one is not there or does not take the hotfix.")
    hotfix: JSON = strawberry.field(
        description="An object of index fields, as the type's index spells them, with their new values; null leaves a field out. "
        'Conda: `{"depends": ["python >=3.11"], "license": null}`.'
    )


@strawberry.type(description="What `setHotfix` has done.")
class SetHotfixPayload:
    """Files that were changed."""

    changed: int = strawberry.field(description="How many files have another hotfix than before.")
    files: list[File] = strawberry.field(description="Those files; the first 100 of them.")


SetHotfixResult = Annotated[
    SetHotfixPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("SetHotfixResult", description="What `setHotfix` answers."),
]


@strawberry.type
class SetHotfix:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Let indexes say something else of files than they say of themselves, in one step, in place of an earlier hotfix. The files and "
        "their attributes stay as they are. Takes an administrator of the namespace."
    )
    async def set_hotfix(self, info: Info, input: Annotated[SetHotfixInput, INPUT]) -> SetHotfixResult | None:
        """See services/hotfixes.py."""
        context = info.context.changing()
        selection = input.files.selection(info, "files")
        if not isinstance(input.hotfix, dict):
            raise ValidationError("A hotfix is an object of fields and their values.", field="hotfix")
        changed = await hotfixes.set_hotfix(context.site, actor=context.actor, selection=selection, hotfix=input.hotfix)
        return SetHotfixPayload(changed=len(changed), files=await first_files(context, changed))
