"""`createUpload`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from entrepot.graphql.context import Info
from entrepot.graphql.mutations.arguments import INPUT
from entrepot.graphql.permission import Visibility
from entrepot.graphql.problems import InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.scalars import BigInt, Moment
from entrepot.http.staged import staged_url
from entrepot.services.staging import Terms, announce


@strawberry.input(description="What `createUpload` needs to know. Who sends the bytes can change nothing of it.")
class CreateUploadInput:
    """An upload that is announced."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    basename: str = strawberry.field(description="The name of the file, which for most package types says its path.")
    package: str = strawberry.field(description="The name of the package. Where the file names its package itself, the two must agree.")
    type: str | None = strawberry.field(default=None, description="The name of the package type. Left out: what the bytes say.")
    version: str | None = strawberry.field(default=None, description="The version. Where the file says its version itself, the two must agree.")
    labels: list[str] | None = strawberry.field(default=None, description="The labels that the file gets. Left out: `main`.")
    visibility: Visibility | None = strawberry.field(
        default=None, description="Who may read the package if the upload makes it; must be true of one that is there."
    )
    sha256: str | None = strawberry.field(
        default=None, description="The SHA-256 digest of the file in hex, if it is known; no other file is taken then."
    )
    size: BigInt | None = strawberry.field(default=None, description="The size of the file in bytes, if it is known; no other file is taken then.")


@strawberry.type(description="A header to send.")
class UploadHeader:
    """Name and value."""

    name: str = strawberry.field(description="The header's name.")
    value: str = strawberry.field(description="The header's value.")


@strawberry.type(description="What `createUpload` has done.")
class CreateUploadPayload:
    """Where to send the bytes."""

    url: str = strawberry.field(
        description="Where to PUT the file, as it is. It works once, and needs no token: it is a secret. A PUT that fails may be tried again."
    )
    headers: list[UploadHeader] = strawberry.field(description="Headers to send with it.")
    expires_at: Moment = strawberry.field(description="When the PUT must have begun. The token that made the URL must be valid until it has ended.")


CreateUploadResult = Annotated[
    CreateUploadPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("CreateUploadResult", description="What `createUpload` answers."),
]


@strawberry.type
class CreateUpload:
    """A field of Mutation."""

    @strawberry.mutation(description="Get a one-time URL to upload one file to, for a program that shall hold no token.")
    async def create_upload(self, info: Info, input: Annotated[CreateUploadInput, INPUT]) -> CreateUploadResult | None:
        """See services/staging.py."""
        context = info.context.changing()
        terms = Terms(
            package=input.package,
            type=input.type,
            version=input.version,
            labels=input.labels or (),
            private=None if input.visibility is None else input.visibility is Visibility.PRIVATE,
            sha256=input.sha256,
            size=input.size,
        )
        announced = await announce(context.site, actor=context.actor, namespace=input.namespace, basename=input.basename, terms=terms)
        return CreateUploadPayload(
            url=staged_url(context.base_url, announced.secret),
            headers=[UploadHeader(name="Content-Type", value="application/octet-stream")],
            expires_at=Moment(announced.expires_at),
        )
