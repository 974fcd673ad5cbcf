"""`removeFiles`."""

from __future__ import annotations

from typing import Annotated, Self

import strawberry

from entrepot.db.sql import Row
from entrepot.graphql.context import Context, Info
from entrepot.graphql.identity import id_of_file
from entrepot.graphql.mutations.arguments import INPUT, FilesInput
from entrepot.graphql.problems import Error, InvalidInputError, NotFoundError, PermissionDeniedError, problem_of
from entrepot.services import files
from entrepot.services.selections import Refused


@strawberry.input(description="What `removeFiles` needs to know.")
class RemoveFilesInput:
    """Files to remove."""

    files: FilesInput = strawberry.field(description="Which files.")
    all_or_nothing: bool = strawberry.field(
        default=True, description="Whether one file that may not be removed, or is not there, keeps all of them. Else the others go."
    )


@strawberry.type(description="A file that was removed.")
class RemovedFile:
    """What stays of a file."""

    id: strawberry.ID = strawberry.field(description="The id that the file had.")
    namespace: str = strawberry.field(description="The name of the namespace that it was in.")
    type: str = strawberry.field(description="The name of its package type.")
    path: str = strawberry.field(description="The path that it had.")

    @classmethod
    def of(cls, context: Context, row: Row) -> Self:
        """From a row of the selection."""
        id = strawberry.ID(str(id_of_file(context, type=row["type"], uuid=row["uuid"])))
        return cls(id=id, namespace=row["namespace"], type=row["type"], path=row["path"])


@strawberry.type(description="A file that was named and was not removed.")
class RefusedFile:
    """And why."""

    file: str = strawberry.field(description="The file as the request names it, without the type in an id.")
    error: Error = strawberry.field(description="Why it was not removed.")

    @classmethod
    def of(cls, refused: Refused) -> Self:
        """From the selection."""
        return cls(file=refused.named, error=problem_of(refused.error))


@strawberry.type(description="What `removeFiles` has done.")
class RemoveFilesPayload:
    """Files that were removed."""

    removed: list[RemovedFile] = strawberry.field(description="The files that were removed.")
    refused: list[RefusedFile] = strawberry.field(description="The files that were not. Empty unless `allOrNothing` is false.")


RemoveFilesResult = Annotated[
    RemoveFilesPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("RemoveFilesResult", description="What `removeFiles` answers."),
]


@strawberry.type
class RemoveFiles:
    """A field of Mutation."""

    @strawberry.mutation(description="Remove files, in one step. A release that has lost its last file goes too; its package stays.")
    async def remove_files(self, info: Info, input: Annotated[RemoveFilesInput, INPUT]) -> RemoveFilesResult | None:
        """See services/files.py."""
        context = info.context.changing()
        selection = input.files.selection(info, "files")
        found = await files.remove_files(context.site, actor=context.actor, selection=selection, all_or_nothing=input.all_or_nothing)
        return RemoveFilesPayload(
            removed=[RemovedFile.of(context, row) for row in found.rows], refused=[RefusedFile.of(one) for one in found.refused]
        )
