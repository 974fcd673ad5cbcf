"""`copyLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.label import Label
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import namespacelabels


@strawberry.input(description="What `copyLabel` needs to know.")
class CopyLabelInput:
    """Two labels of a namespace."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    from_: str = strawberry.field(name="from", description="The label whose files are meant.")
    to: str = strawberry.field(description="The label that they get. One that the namespace does not have yet is made.")


@strawberry.type(description="What `copyLabel` has done.")
class CopyLabelPayload:
    """Files that were changed."""

    label: Label = strawberry.field(description="The label that the files have now.")
    changed: int = strawberry.field(description="How many files got it: those that had it are not counted.")


CopyLabelResult = Annotated[
    CopyLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("CopyLabelResult", description="What `copyLabel` answers."),
]


@strawberry.type
class CopyLabel:
    """A field of Mutation."""

    @strawberry.mutation(description="Put a label on every file that has another one, in one step. Takes an administrator of the namespace.")
    async def copy_label(self, info: Info, input: Annotated[CopyLabelInput, INPUT]) -> CopyLabelResult | None:
        """See services/namespacelabels.py."""
        context = info.context.changing()
        done = await namespacelabels.copy_label(context.site, actor=context.actor, namespace=input.namespace, source=input.from_, target=input.to)
        return CopyLabelPayload(label=Label.of(done.label), changed=done.files)
