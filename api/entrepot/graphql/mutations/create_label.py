"""`createLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.label import Label
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import namespacelabels


@strawberry.input(description="What `createLabel` needs to know.")
class CreateLabelInput:
    """A new label."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    label: str = strawberry.field(description="The label: a letter, then up to 127 letters, digits, `.`, `_`, `:`, `-`.")


@strawberry.type(description="What `createLabel` has done.")
class CreateLabelPayload:
    """A label that was made."""

    label: Label = strawberry.field(description="The new label.")


CreateLabelResult = Annotated[
    CreateLabelPayload | NotFoundError | PermissionDeniedError | ConflictError | InvalidInputError,
    strawberry.union("CreateLabelResult", description="What `createLabel` answers."),
]


@strawberry.type
class CreateLabel:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Create a label that no file has yet. Takes an administrator of the namespace; `addLabel` and uploads make labels too, on files."
    )
    async def create_label(self, info: Info, input: Annotated[CreateLabelInput, INPUT]) -> CreateLabelResult | None:
        """See services/namespacelabels.py."""
        context = info.context.changing()
        row = await namespacelabels.create_label(context.site, actor=context.actor, namespace=input.namespace, label=input.label)
        return CreateLabelPayload(label=Label.of(row))
