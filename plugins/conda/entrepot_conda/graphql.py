"""What the type adds to the GraphQL schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import strawberry
from entrepot.plugin import BigInt, File, PackageFacet, StoredFile
from strawberry.scalars import JSON

from entrepot_conda.index import milliseconds


@strawberry.type(description="What a conda package adds to the requirements of packages that are built with it: match specifications, by kind.")
class CondaRunExports:
    """run_exports.json (CEP 12). All empty where the package has none."""

    weak: list[str] = strawberry.field(description="For what is built with it as a host dependency: what must be installed.")
    strong: list[str] = strawberry.field(description="For what is built with it as a build or host dependency: what must be installed.")
    weak_constrains: list[str] = strawberry.field(description="As `weak`: what must hold for packages that happen to be installed.")
    strong_constrains: list[str] = strawberry.field(description="As `strong`: what must hold for packages that happen to be installed.")
    noarch: list[str] = strawberry.field(description="For noarch packages that are built with it: what must be installed.")


@strawberry.type(description="The links that a conda package gives, as it states them: http and https alone.")
class CondaLinks:
    """From about.json. The first where the package gives several."""

    home: str | None = strawberry.field(description="Its home page.")
    dev_url: str | None = strawberry.field(description="Where it is developed.")
    doc_url: str | None = strawberry.field(description="Its documentation.")
    source_url: str | None = strawberry.field(description="Where its source is.")
    license_url: str | None = strawberry.field(description="The text of its licence.")


@strawberry.type(description="A conda package file.")
class CondaFile(File):
    """Filled by `file_fields`."""

    subdir: str = strawberry.field(description="The platform that the file is for, as in `linux-64`, or `noarch`.")
    build: str = strawberry.field(description="The build string.")
    build_number: BigInt = strawberry.field(description="The build number: of two builds of one version, installers prefer the higher.")
    depends: list[str] = strawberry.field(description="What must be installed with it: match specifications.")
    constrains: list[str] = strawberry.field(description="What must hold for packages that happen to be installed: match specifications.")
    license: str | None = strawberry.field(description="The licence, as the package states it.")
    license_family: str | None = strawberry.field(description="The family of the licence, as the package states it.")
    timestamp: BigInt | None = strawberry.field(description="When the package says it was built: milliseconds since 1970, UTC.")
    noarch: str | None = strawberry.field(description="`generic` or `python` for a package that runs on any platform.")
    run_exports: CondaRunExports = strawberry.field(description="What it adds to the requirements of packages that are built with it.")
    links: CondaLinks = strawberry.field(description="The links that it gives.")
    hotfix: JSON | None = strawberry.field(
        description="What channels say of it instead (`setHotfix`): an object of record fields with their new values, null for one that is left out. "
        "The other fields here stay what the package says. Null: there is no hotfix."
    )


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
        "run_exports": CondaRunExports(**{kind.name: file.attributes["run_exports"].get(kind.name, []) for kind in fields(CondaRunExports)}),
        "links": CondaLinks(**{link.name: file.attributes["about"].get(link.name) for link in fields(CondaLinks)}),
        "hotfix": file.state.get("hotfix"),
    }
