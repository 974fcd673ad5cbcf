"""`deleteOrganization`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.mutations.arguments import INPUT, renewed
from entrepot.graphql.namespace import Organization
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.services import deletions


@strawberry.input(description="What `deleteOrganization` needs to know.")
class DeleteOrganizationInput:
    """An organization to delete."""

    organization_id: strawberry.ID = strawberry.field(description="The id of the organization.")
    confirmation: str = strawberry.field(description="Its full name, so that nobody deletes another one by mistake.")


@strawberry.type(description="What `deleteOrganization` has done.")
class DeleteOrganizationPayload:
    """An organization that was deleted."""

    deleted_id: strawberry.ID = strawberry.field(description="The id that the organization had.")
    name: str = strawberry.field(description="The name that it had, which nobody gets again.")


DeleteOrganizationResult = Annotated[
    DeleteOrganizationPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("DeleteOrganizationResult", description="What `deleteOrganization` answers."),
]


@strawberry.type
class DeleteOrganization:
    """A field of Mutation."""

    @strawberry.mutation(description="Delete an organization with its packages, files, labels, groups and tokens, for good. Takes an administrator.")
    async def delete_organization(self, info: Info, input: Annotated[DeleteOrganizationInput, INPUT]) -> DeleteOrganizationResult | None:
        """See services/deletions.py."""
        context = info.context.changing()
        uuid = uuid_of(info, input.organization_id, Organization, field="organization_id")
        row = await deletions.delete_organization(context.site, actor=context.actor, organization=uuid, confirmation=input.confirmation)
        await renewed(context)
        return DeleteOrganizationPayload(deleted_id=input.organization_id, name=row["name"])
