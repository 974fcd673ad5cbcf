"""`updateNamespace`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, namespace_after, renewed
from entrepot.graphql.namespace import Namespace
from entrepot.graphql.permission import Visibility
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.strictness import Strictness
from entrepot.services import organizations


@strawberry.input(description="What `updateNamespace` needs to know. What is left out or null stays as it is.")
class UpdateNamespaceInput:
    """Changes of a namespace."""

    namespace_id: strawberry.ID = strawberry.field(description="The id of a user or an organization.")
    display_name: str | None = strawberry.field(default=None, description="What people read, in a line.")
    description: str | None = strawberry.field(default=None, description="What it is.")
    default_visibility: Visibility | None = strawberry.field(default=None, description="Who may read new packages, where nobody says otherwise.")
    strictness: Strictness | None = strawberry.field(default=None, description="How much is asked of files that are uploaded from now on.")


@strawberry.type(description="What `updateNamespace` has done.")
class UpdateNamespacePayload:
    """A namespace that was changed."""

    namespace: Namespace = strawberry.field(description="The namespace as it is now.")


UpdateNamespaceResult = Annotated[
    UpdateNamespacePayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("UpdateNamespaceResult", description="What `updateNamespace` answers."),
]


@strawberry.type
class UpdateNamespace:
    """A field of Mutation."""

    @strawberry.mutation(
        description="Say of a namespace what people read, who may read its new packages, and what is asked of files. Takes an administrator."
    )
    async def update_namespace(self, info: Info, input: Annotated[UpdateNamespaceInput, INPUT]) -> UpdateNamespaceResult | None:
        """See services/organizations.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.namespace_id, Namespace, field="namespace_id")
        await organizations.update_namespace(
            context.site,
            actor=context.actor,
            namespace=uuid,
            display_name=input.display_name,
            description=input.description,
            default_visibility=None if input.default_visibility is None else input.default_visibility.name.lower(),
            strictness=None if input.strictness is None else input.strictness.name.lower(),
        )
        return UpdateNamespacePayload(namespace=await namespace_after(await renewed(context), uuid))
