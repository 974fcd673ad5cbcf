"""`deleteLabel`."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import relay

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.namespace import Namespace
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import namespacelabels


@strawberry.input(description="What `deleteLabel` needs to know.")
class DeleteLabelInput:
    """A label to delete."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    label: str = strawberry.field(description="The label: a letter, then up to 127 letters, digits, `.`, `_`, `:`, `-`.")


@strawberry.type(description="What `deleteLabel` has done.")
class DeleteLabelPayload:
    """A label that was deleted."""

    deleted_id: strawberry.ID = strawberry.field(description="The id that the label had.")
    name: str = strawberry.field(description="The name that it had.")
    changed: int = strawberry.field(description="How many files have lost it. Those without any label now can be downloaded, and show in no channel.")
    namespace: Namespace = strawberry.field(description="The namespace that it belonged to.")


DeleteLabelResult = Annotated[
    DeleteLabelPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("DeleteLabelResult", description="What `deleteLabel` answers."),
]


@strawberry.type
class DeleteLabel:
    """A field of Mutation."""

    @strawberry.mutation(description="Take a label off every file, and delete it. `main` cannot be deleted. Takes an administrator of the namespace.")
    async def delete_label(self, info: Info, input: Annotated[DeleteLabelInput, INPUT]) -> DeleteLabelResult | None:
        """See services/namespacelabels.py."""
        context = info.context.changing()
        done = await namespacelabels.delete_label(context.site, actor=context.actor, namespace=input.namespace, label=input.label)
        deleted_id = strawberry.ID(str(relay.GlobalID("Label", done.label["uuid"])))
        namespace = await context.loaders.namespace.load(done.label["namespace_id"])
        return DeleteLabelPayload(deleted_id=deleted_id, name=done.label["name"], changed=done.files, namespace=namespace)
