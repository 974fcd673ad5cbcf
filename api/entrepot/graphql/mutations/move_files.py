"""`moveFiles`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.interfaces import File
from entrepot.graphql.mutations.arguments import INPUT, FilesInput, first_files
from entrepot.graphql.mutations.copy_files import CopyMode
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import copies


@strawberry.input(description="What `moveFiles` needs to know.")
class MoveFilesInput:
    """Files and where they go."""

    files: FilesInput = strawberry.field(description="Which files, all of which the viewer may remove.")
    namespace: str | None = strawberry.field(default=None, description="The name of the target namespace. Left out: they stay, and change labels.")
    labels: list[str] | None = strawberry.field(
        default=None,
        description="The labels that they get; none, and so no channel, if the list is empty. Left out: in another namespace those of here.",
    )
    from_label: str | None = strawberry.field(default=None, description="Only those that have this label; where files stay, they lose it.")
    mode: CopyMode = strawberry.field(default=CopyMode.REFUSE, description="What becomes of a file whose path holds other bytes there.")


@strawberry.type(description="What `moveFiles` has done.")
class MoveFilesPayload:
    """Files that were moved."""

    moved: int = strawberry.field(description="How many files have moved.")
    files: list[File] = strawberry.field(description="The files where they are now; the first 100 of them.")


MoveFilesResult = Annotated[
    MoveFilesPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("MoveFilesResult", description="What `moveFiles` answers."),
]


@strawberry.type
class MoveFiles:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Move files to another namespace, or from one label to others, in one step. Whoever may read a file that has gone to another "
        "namespace finds it at its old address too. `transferPackage` moves a whole package, with its downloads and collaborators."
    )
    async def move_files(self, info: Info, input: Annotated[MoveFilesInput, INPUT]) -> MoveFilesResult | None:
        """See services/copies.py."""
        context = info.context.changing()
        order = copies.Order(
            selection=input.files.selection(info, "files"),
            to=input.namespace,
            labels=input.labels,
            from_label=input.from_label,
            mode=copies.CopyMode[input.mode.name],
            moves=True,
        )
        done = await copies.copy_files(context.site, actor=context.actor, order=order)
        uuids = [*done.added, *done.unchanged]
        return MoveFilesPayload(moved=len(uuids), files=await first_files(context, uuids))
