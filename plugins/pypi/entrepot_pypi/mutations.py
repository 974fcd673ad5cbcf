"""What can be said of wheels, sdists and projects after their upload."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from entrepot.plugin import (
    File,
    FilesInput,
    InvalidInputError,
    Level,
    NotFoundError,
    PackageFacet,
    PermissionDeniedError,
    Services,
    ValidationError,
    first_files,
)

from entrepot_pypi import name, page, status
from entrepot_pypi.graphql import PypiFacet
from entrepot_pypi.status import PypiProjectStatus

Info = strawberry.Info[Any, Any]
_input = strawberry.argument(description="What to do.")
_yanked = "yanked"


@strawberry.input(description="What `yankFiles` needs to know.")
class YankFilesInput:
    """Files, and why."""

    files: FilesInput = strawberry.field(description="Which files: all of them, or none where one is not there. A release is yanked by `releaseId`.")
    reason: str | None = strawberry.field(default=None, description="Why, for those who have pinned it: up to 1,000 characters. Installers show it.")


@strawberry.input(description="What `unyankFiles` needs to know.")
class UnyankFilesInput:
    """Files."""

    files: FilesInput = strawberry.field(description="Which files: all of them, or none where one is not there.")


@strawberry.input(description="What `setProjectStatus` needs to know.")
class SetProjectStatusInput:
    """A project and its status."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    project: str = strawberry.field(description="The name of the project, however it is spelled.")
    status: PypiProjectStatus = strawberry.field(description="What is said of it from now on.")
    reason: str | None = strawberry.field(default=None, description="Why, up to 1,000 characters. It stands in the index. `ACTIVE` takes none.")


@strawberry.type(description="What `yankFiles` has done.")
class YankFilesPayload:
    """Files that were changed."""

    changed: int = strawberry.field(description="How many files were not yanked, or for another reason.")
    files: list[File] = strawberry.field(description="Those files; the first 100 of them.")


@strawberry.type(description="What `unyankFiles` has done.")
class UnyankFilesPayload:
    """Files that were changed."""

    changed: int = strawberry.field(description="How many files were yanked.")
    files: list[File] = strawberry.field(description="Those files; the first 100 of them.")


@strawberry.type(description="What `setProjectStatus` has done.")
class SetProjectStatusPayload:
    """The project as it is now."""

    facet: PackageFacet = strawberry.field(description="The project.")


Refused = NotFoundError | PermissionDeniedError | InvalidInputError
YankFilesResult = Annotated[YankFilesPayload | Refused, strawberry.union("YankFilesResult", description="What `yankFiles` answers.")]
UnyankFilesResult = Annotated[UnyankFilesPayload | Refused, strawberry.union("UnyankFilesResult", description="What `unyankFiles` answers.")]
SetProjectStatusResult = Annotated[
    SetProjectStatusPayload | Refused, strawberry.union("SetProjectStatusResult", description="What `setProjectStatus` answers.")
]


async def yank_files(info: Info, input: Annotated[YankFilesInput, _input]) -> YankFilesResult | None:
    """PEP 592."""
    reason = page.shown_text(status.checked_reason(input.reason))
    changed = await _say(info, input.files, "file.yank", reason or True)
    return YankFilesPayload(changed=len(changed), files=await first_files(info.context, changed))


async def unyank_files(info: Info, input: Annotated[UnyankFilesInput, _input]) -> UnyankFilesResult | None:
    """PEP 592: a yank can be undone."""
    changed = await _say(info, input.files, "file.unyank", None)
    return UnyankFilesPayload(changed=len(changed), files=await first_files(info.context, changed))


async def set_project_status(info: Info, input: Annotated[SetProjectStatusInput, _input]) -> SetProjectStatusResult | None:
    """PEP 792."""
    context = info.context.changing()
    project, reason = name.canonical(input.project), page.shown_text(status.checked_reason(input.reason))
    said = {"status": input.status.spelled} | ({"reason": reason} if reason else {})
    is_plain = input.status is PypiProjectStatus.ACTIVE
    if is_plain and reason:
        raise ValidationError("Of an active project the index says nothing, and no reason. Leave the reason out.", field="reason")
    await Services(context.site).set_state(
        context.actor,
        namespace=input.namespace,
        type="pypi",
        name=project,
        action="project.status",
        package_state={status.key: None if is_plain else said},
        level=Level.ADMIN,
    )
    facet = PypiFacet(type="pypi", name=project, project_status=input.status, project_status_reason=reason or None, namespace=input.namespace)
    return SetProjectStatusPayload(facet=facet)


async def _say(info: Info, files: FilesInput, action: str, value: Any) -> list[str]:
    context = info.context.changing()
    selection = files.selection(info, "files")
    return await Services(context.site).say_of_files(context.actor, files=selection, type="pypi", action=action, key=_yanked, value=value)


@strawberry.type
class PypiMutation:
    """Fields of Mutation."""

    yank_files: YankFilesResult | None = strawberry.mutation(
        resolver=yank_files,
        description="Let installers pass over wheels and sdists unless their version is pinned, in one step; they can still be downloaded (PEP 592).",
    )
    unyank_files: UnyankFilesResult | None = strawberry.mutation(resolver=unyank_files, description="Offer yanked files again, in one step.")
    set_project_status: SetProjectStatusResult | None = strawberry.mutation(
        resolver=set_project_status,
        description="Say that a PyPI project is active, archived, deprecated or in quarantine (PEP 792). Takes an administrator of its package.",
    )
