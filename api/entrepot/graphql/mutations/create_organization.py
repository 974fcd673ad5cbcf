"""`createOrganization`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT, namespace_after, renewed
from entrepot.graphql.namespace import Organization
from entrepot.graphql.problems import ConflictError, InvalidInputError, PermissionDeniedError
from entrepot.services import organizations


@strawberry.input(description="What `createOrganization` needs to know.")
class CreateOrganizationInput:
    """A new organization."""

    name: str = strawberry.field(description="Its name, unique among users and organizations: 1 to 64 letters, digits, `-`, `_`, `.`.")
    display_name: str = strawberry.field(default="", description="What people read, in a line.")
    description: str = strawberry.field(default="", description="What it is.")


@strawberry.type(description="What `createOrganization` has done.")
class CreateOrganizationPayload:
    """An organization that was created."""

    organization: Organization = strawberry.field(description="The new organization. Its group `owners` has the viewer in it.")


CreateOrganizationResult = Annotated[
    CreateOrganizationPayload | PermissionDeniedError | InvalidInputError | ConflictError,
    strawberry.union("CreateOrganizationResult", description="What `createOrganization` answers."),
]


@strawberry.type
class CreateOrganization:
    """A field of Mutation."""

    @strawberry.mutation(description="Create an organization. Who does is the first of its owners. A name that another one ever had stays taken.")
    async def create_organization(self, info: Info, input: Annotated[CreateOrganizationInput, INPUT]) -> CreateOrganizationResult | None:
        """See services/organizations.py."""
        context = info.context.changing()
        uuid = await organizations.create_organization(
            context.site, actor=context.actor, name=input.name, display_name=input.display_name, description=input.description
        )
        organization = await namespace_after(await renewed(context), uuid)
        assert isinstance(organization, Organization)
        return CreateOrganizationPayload(organization=organization)
