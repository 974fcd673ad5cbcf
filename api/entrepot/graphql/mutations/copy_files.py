"""`copyFiles`."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.interfaces import File
from entrepot.graphql.mutations.arguments import INPUT, FilesInput, first_files
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import copies


@strawberry.enum(description="What becomes of a file whose path holds other bytes in the target.")
class CopyMode(Enum):
    """See services/meetings.py."""

    REFUSE = strawberry.enum_value("REFUSE", description="Nothing is copied at all.")
    REPLACE = strawberry.enum_value("REPLACE", description="The file there is removed, where its namespace takes paths again.")
    UPDATE = strawberry.enum_value(
        "UPDATE", description="Every file that is there stays, whatever its bytes, and is passed over; the others are copied."
    )


@strawberry.input(description="What `copyFiles` needs to know.")
class CopyFilesInput:
    """Files and where copies of them go."""

    files: FilesInput = strawberry.field(description="Which files, all of which the viewer may read.")
    namespace: str | None = strawberry.field(
        default=None, description="The name of the target namespace. Left out: their own, where they get labels."
    )
    labels: list[str] | None = strawberry.field(
        default=None,
        description="The labels that they get there; none, and so no channel, if the list is empty. Left out: those that they have here.",
    )
    from_label: str | None = strawberry.field(default=None, description="Only those of the files that have this label.")
    mode: CopyMode = strawberry.field(default=CopyMode.REFUSE, description="What becomes of a file whose path holds other bytes there.")


@strawberry.type(description="What `copyFiles` has done.")
class CopyFilesPayload:
    """Files that were copied."""

    added: int = strawberry.field(description="How many files are new in the target.")
    unchanged: int = strawberry.field(description="How many were there with the same bytes: they got labels at most.")
    files: list[File] = strawberry.field(description="The files in the target, the new ones first; the first 100 of them.")


CopyFilesResult = Annotated[
    CopyFilesPayload | NotFoundError | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("CopyFilesResult", description="What `copyFiles` answers."),
]


@strawberry.type
class CopyFiles:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Copy files to another namespace, or to other labels, in one step, without sending bytes. Packages keep their names; one "
        "that is new there is as private as the one that it comes from. Takes who may read the files, and may write there."
    )
    async def copy_files(self, info: Info, input: Annotated[CopyFilesInput, INPUT]) -> CopyFilesResult | None:
        """See services/copies.py."""
        context = info.context.changing()
        order = copies.Order(
            selection=input.files.selection(info, "files"),
            to=input.namespace,
            labels=input.labels,
            from_label=input.from_label,
            mode=copies.CopyMode[input.mode.name],
        )
        done = await copies.copy_files(context.site, actor=context.actor, order=order)
        files = await first_files(context, [*done.added, *done.unchanged])
        return CopyFilesPayload(added=len(done.added), unchanged=len(done.unchanged), files=files)
