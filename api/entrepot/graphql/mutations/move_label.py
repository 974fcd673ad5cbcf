"""`moveLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.label import Label
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import namespacelabels


@strawberry.input(description="What `moveLabel` needs to know.")
class MoveLabelInput:
    """Two labels of a namespace."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    from_: str = strawberry.field(name="from", description="The label whose files are meant.")
    to: str = strawberry.field(description="The label that they get. One that the namespace does not have yet is made.")


@strawberry.type(description="What `moveLabel` has done.")
class MoveLabelPayload:
    """Files that were changed."""

    label: Label = strawberry.field(description="The label that the files have now.")
    changed: int = strawberry.field(description="How many files had the one and have the other now.")


MoveLabelResult = Annotated[
    MoveLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("MoveLabelResult", description="What `moveLabel` answers."),
]


@strawberry.type
class MoveLabel:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Take a label off every file that has it and put another one there, in one step; the label itself stays, on no file. "
        "Takes an administrator of the namespace."
    )
    async def move_label(self, info: Info, input: Annotated[MoveLabelInput, INPUT]) -> MoveLabelResult | None:
        """See services/namespacelabels.py."""
        context = info.context.changing()
        done = await namespacelabels.move_label(context.site, actor=context.actor, namespace=input.namespace, source=input.from_, target=input.to)
        return MoveLabelPayload(label=Label.of(done.label), changed=done.files)
