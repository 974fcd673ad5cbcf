"""What the type adds to the GraphQL schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from entrepot.plugin import File, StoredFile


@strawberry.type(description="A conda environment file. Credentials in its URLs are shown as `***`.")
class EnvironmentFile(File):
    """Filled by `file_fields`."""

    environment_name: str | None = strawberry.field(description="The name that the file gives the environment.")
    channels: list[str] = strawberry.field(description="Where its packages come from, in order of priority.")
    dependencies: list[str] = strawberry.field(description="What conda installs: match specifications, those with a selector as `sel(linux): x`.")
    pip_dependencies: list[str] = strawberry.field(description="What pip installs: requirements and options.")
    platforms: list[str] = strawberry.field(description="The platforms that the file says it is for, if it says so.")
    variables: list[str] = strawberry.field(description="The names of the variables that it sets.")


def file_fields(file: StoredFile) -> Mapping[str, Any]:
    """The values of EnvironmentFile's own fields."""
    told = file.attributes
    return {
        "environment_name": told["name"] or None,
        "channels": told["channels"],
        "dependencies": told["dependencies"],
        "pip_dependencies": told["pip"],
        "platforms": told["platforms"],
        "variables": told["variables"],
    }
