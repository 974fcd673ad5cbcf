"""What wheels and sdists add to the schema."""

from __future__ import annotations

import strawberry
from entrepot.plugin import File, PackageFacet


@strawberry.type(description="A wheel or a source distribution.")
class PypiFile(File):
    """Plain attributes: `PypiType.graphql_fields` fills them."""

    packagetype: str = strawberry.field(description="`bdist_wheel` or `sdist`.")
    python_tag: str = strawberry.field(description="The Pythons that a wheel is for, as in its filename (`py3`); `source` for an sdist.")
    requires_python: str | None = strawberry.field(description="The Python versions that the file can be installed on, as a PEP 440 specifier.")
    requires_dist: list[str] = strawberry.field(description="What the file depends on: PEP 508 requirements.")
    yanked: bool = strawberry.field(description="Whether installers pass the file over unless its version is pinned (PEP 592).")
    yanked_reason: str | None = strawberry.field(description="Why the file was yanked, if somebody said so.")
    core_metadata_sha256: str | None = strawberry.field(
        description="The SHA-256 digest of the file's `.metadata` sidecar (PEP 658), in lower-case hex."
    )


@strawberry.type(description="A package as a PyPI project.")
class PypiFacet(PackageFacet):
    """What `PypiType.facet` answers."""

    name: str = strawberry.field(description="The normalized name: the one in the project's URLs.")
    project_status: str = strawberry.field(description="`active`, `archived`, `quarantined` or `deprecated` (PEP 792).")
