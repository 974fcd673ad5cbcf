"""What the type adds to the GraphQL schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from entrepot.plugin import File, PackageFacet, StoredFile

from entrepot_conda.index import milliseconds


@strawberry.type(description="A conda package file.")
class CondaFile(File):
    """Filled by `file_fields`."""

    subdir: str = strawberry.field(description="The platform that the file is for, as in `linux-64`, or `noarch`.")
    build: str = strawberry.field(description="The build string.")
    build_number: float = strawberry.field(
        description="The build number, a whole number: of two builds of one version, installers prefer the higher."
    )
    depends: list[str] = strawberry.field(description="What must be installed with it: match specifications.")
    constrains: list[str] = strawberry.field(description="What must hold for packages that happen to be installed: match specifications.")
    license: str | None = strawberry.field(description="The licence, as the package states it.")
    license_family: str | None = strawberry.field(description="The family of the licence, as the package states it.")
    timestamp: float | None = strawberry.field(description="When the package says it was built: milliseconds since 1970, UTC.")
    noarch: str | None = strawberry.field(description="`generic` or `python` for a package that runs on any platform.")


@strawberry.type(description="A package's conda side.")
class CondaFacet(PackageFacet):
    """Filled by `CondaType.facet`."""

    platforms: list[str] = strawberry.field(description="The subdirs that it has files for.")


def file_fields(file: StoredFile) -> Mapping[str, Any]:
    """The values of CondaFile's own fields."""
    index = file.attributes["index"]
    timestamp = index.get("timestamp")
    return {
        "subdir": index["subdir"],
        "build": index["build"],
        "build_number": index["build_number"],
        "depends": index["depends"],
        "constrains": index.get("constrains", []),
        "license": index.get("license"),
        "license_family": index.get("license_family"),
        "timestamp": None if timestamp is None else milliseconds(timestamp),
        "noarch": index.get("noarch"),
    }
