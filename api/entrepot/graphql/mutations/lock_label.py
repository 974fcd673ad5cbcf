"""`lockLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.label import Label
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import namespacelabels


@strawberry.input(description="What `lockLabel` needs to know.")
class LockLabelInput:
    """A label."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    label: str = strawberry.field(description="The label: a letter, then up to 127 letters, digits, `.`, `_`, `:`, `-`.")


@strawberry.type(description="What `lockLabel` has done.")
class LockLabelPayload:
    """A label that is locked now."""

    label: Label = strawberry.field(description="The label as it is now.")


LockLabelResult = Annotated[
    LockLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("LockLabelResult", description="What `lockLabel` answers."),
]


@strawberry.type
class LockLabel:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Lock a label: from now on only administrators of the namespace put it on files, take it off, or remove files that have it. "
        "Takes such an administrator."
    )
    async def lock_label(self, info: Info, input: Annotated[LockLabelInput, INPUT]) -> LockLabelResult | None:
        """See services/namespacelabels.py."""
        context = info.context.changing()
        row = await namespacelabels.lock_label(context.site, actor=context.actor, namespace=input.namespace, label=input.label)
        return LockLabelPayload(label=Label.of(row))
