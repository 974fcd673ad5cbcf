"""The package type: what the core asks of environment files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from entrepot.plugin import Inspection, ShelfType, StoredFile

from entrepot_environment.description import attributes
from entrepot_environment.detection import is_environment
from entrepot_environment.document import read_environment
from entrepot_environment.graphql import EnvironmentFile, file_fields


class EnvironmentType(ShelfType):
    """Conda environment files (`environment.yml`). Their bytes are kept as they came."""

    name: ClassVar[str] = "environment"
    title: ClassVar[str] = "Conda environment"
    endings: ClassVar[tuple[str, ...]] = (".yml", ".yaml")
    graphql_type: ClassVar[type | None] = EnvironmentFile

    def detect(self, file: BinaryIO, basename: str) -> bool:
        """YAML that lists dependencies as conda does."""
        return is_environment(file, basename)

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        """Validate an environment file and read what it says."""
        self.check_ending(basename)
        environment = read_environment(file)
        return Inspection(
            name=self.proposed_name(basename, environment.name),
            version=self.proposed_version(environment.version),
            attributes=attributes(environment),
            names_itself=False,
            versions_itself=False,
        )

    def record(self, file: StoredFile) -> Mapping[str, Any]:
        """What the list says of an environment."""
        return {"environment": file.attributes["name"], "channels": file.attributes["channels"], "platforms": file.attributes["platforms"]}

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """What EnvironmentFile adds."""
        return file_fields(file)

    def install(self, package: str, channel: str) -> Sequence[str]:
        """Create the newest version's environment, under the package's name."""
        name, url = shlex.quote(package.lower()), shlex.quote(f"{channel}/{package.lower()}.yml")
        return [f"{command} --name {name} --file {url}" for command in ("conda env create", "mamba env create", "micromamba create")]
