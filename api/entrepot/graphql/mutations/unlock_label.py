"""`unlockLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.label import Label
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import namespacelabels


@strawberry.input(description="What `unlockLabel` needs to know.")
class UnlockLabelInput:
    """A label."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    label: str = strawberry.field(description="The label: a letter, then up to 127 letters, digits, `.`, `_`, `:`, `-`.")


@strawberry.type(description="What `unlockLabel` has done.")
class UnlockLabelPayload:
    """A label that is not locked any more."""

    label: Label = strawberry.field(description="The label as it is now.")


UnlockLabelResult = Annotated[
    UnlockLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("UnlockLabelResult", description="What `unlockLabel` answers."),
]


@strawberry.type
class UnlockLabel:
    """A field of Mutation."""

    @strawberry.mutation(description="Undo `lockLabel`. Takes an administrator of the namespace.")
    async def unlock_label(self, info: Info, input: Annotated[UnlockLabelInput, INPUT]) -> UnlockLabelResult | None:
        """See services/namespacelabels.py."""
        context = info.context.changing()
        row = await namespacelabels.unlock_label(context.site, actor=context.actor, namespace=input.namespace, label=input.label)
        return UnlockLabelPayload(label=Label.of(row))
