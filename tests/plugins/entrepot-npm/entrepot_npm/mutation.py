"""What npm adds to what can be done through the GraphQL API."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from entrepot.plugin import InvalidInputError, NotFoundError, PermissionDeniedError, Services

from entrepot_npm import tags
from entrepot_npm.graphql import NpmDistTag


@strawberry.input(description="What `npmMoveTag` needs to know.")
class NpmMoveTagInput:
    """A tag, and where it shall point."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    package: str = strawberry.field(description="The name of the npm package.")
    tag: str = strawberry.field(description="The tag: `latest`, `next` …")
    version: str | None = strawberry.field(default=None, description="The version that it shall point at; null removes the tag.")


@strawberry.type(description="What `npmMoveTag` has done.")
class NpmMoveTagPayload:
    """The tags after it."""

    dist_tags: list[NpmDistTag] = strawberry.field(description="The dist-tags of the package, in the order of their names.")


NpmMoveTagResult = Annotated[
    NpmMoveTagPayload | NotFoundError | PermissionDeniedError | InvalidInputError,
    strawberry.union("NpmMoveTagResult", description="What `npmMoveTag` answers."),
]


async def npm_move_tag(
    info: strawberry.Info[Any, Any], input: Annotated[NpmMoveTagInput, strawberry.argument(description="What to do.")]
) -> NpmMoveTagResult | None:
    """The core has asked for `api:write`; the tags have a scope of their own."""
    actor, services = info.context.actor, Services(info.context.site)
    tags.require_tag_scope(actor)
    package = {"namespace": input.namespace, "package": input.package}
    await tags.move(services, actor, **package, changes={input.tag: input.version})
    moved = await tags.dist_tags(services, actor, **package)
    return NpmMoveTagPayload(dist_tags=[NpmDistTag(tag=tag, version=version) for tag, version in moved.items()])


@strawberry.type
class NpmMutation:
    """Fields that join Mutation."""

    npm_move_tag: NpmMoveTagResult | None = strawberry.mutation(
        resolver=npm_move_tag, description="Point a dist-tag of an npm package at a version, or remove it."
    )
