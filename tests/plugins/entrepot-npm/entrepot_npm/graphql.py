"""What npm adds to the GraphQL API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry
from entrepot.plugin import File, NotFound, PackageFacet, Services, ValidationError

from entrepot_npm.models import NpmTagMove as Row
from entrepot_npm.tags import dist_tags_of


@strawberry.type(description="A package that an npm package needs.")
class NpmDependency:
    """One line of `dependencies`, or of its optional and peer sisters."""

    kind: str = strawberry.field(description="Where it stands in package.json: dependencies, optionalDependencies or peerDependencies.")
    name: str = strawberry.field(description="The name of the package that is needed.")
    range: str = strawberry.field(description="The versions that will do, as package.json spells them.")


@strawberry.type(description="A dist-tag: a word that points at one version of an npm package.")
class NpmDistTag:
    """Where a tag points now."""

    tag: str = strawberry.field(description="The tag: `latest`, `next` …")
    version: str = strawberry.field(description="The version that it points at.")


@strawberry.type(description="An npm archive.")
class NpmFile(File):
    """What the archive and its tags say, besides what every file has."""

    shasum: str = strawberry.field(description="The SHA-1 digest that old npm clients check, in lower-case hex.")
    integrity: str = strawberry.field(description="The SHA-512 digest that npm writes into package-lock.json.")
    dist_tags: list[str] = strawberry.field(description="The dist-tags that point at this version.")
    dependencies: list[NpmDependency] = strawberry.field(description="What the package needs.")


@strawberry.type(description="What npm says of a package.")
class NpmFacet(PackageFacet):
    """The dist-tags."""

    dist_tags: list[NpmDistTag] = strawberry.field(description="The dist-tags of the package, in the order of their names.")


@strawberry.type(description="A dist-tag was set, moved or removed.")
class NpmTagMove:
    """One row of the plugin's own table."""

    tag: str = strawberry.field(description="The tag.")
    version: str | None = strawberry.field(description="The version that it points at since; null where the tag was removed.")
    at: str = strawberry.field(description="When it happened: RFC 3339, UTC.")
    actor: str = strawberry.field(description="Who did it.")


async def npm_tag_moves(
    info: strawberry.Info[Any, Any],
    namespace: Annotated[str, strawberry.argument(description="The name of the namespace.")],
    package: Annotated[str, strawberry.argument(description="The name of the npm package.")],
    first: Annotated[int, strawberry.argument(description="How many moves at most: 0 to 100.")] = 50,
) -> list[NpmTagMove]:
    """Whatever the actor may not read is not there."""
    if not 0 <= first <= 100:
        raise ValidationError("`first` is between 0 and 100.")
    try:
        await Services(info.context.site).files(info.context.actor, namespace=namespace, type="npm", name=package)
    except NotFound:
        return []
    rows = await Row.filter(namespace=namespace.lower(), package=package).order_by("-id").limit(first).values("tag", "version", "at", "actor")
    return [NpmTagMove(tag=row["tag"], version=row["version"], at=_rfc3339(row["at"]), actor=row["actor"]) for row in rows]


@strawberry.type
class NpmQuery:
    """Fields that join Query."""

    npm_tag_moves: list[NpmTagMove] = strawberry.field(
        resolver=npm_tag_moves,
        description="How the dist-tags of an npm package moved, the newest move first; empty for a package that is not there.",
    )


def dependencies_of(manifest: Mapping[str, Any]) -> list[NpmDependency]:
    """What a package.json says that it needs."""
    kinds = ("dependencies", "optionalDependencies", "peerDependencies")
    return [NpmDependency(kind=kind, name=name, range=spec) for kind in kinds for name, spec in manifest.get(kind, {}).items()]


def listed(state: Mapping[str, Any]) -> list[NpmDistTag]:
    """The dist-tags in a package's state."""
    return [NpmDistTag(tag=tag, version=version) for tag, version in dist_tags_of(state).items()]


def _rfc3339(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
