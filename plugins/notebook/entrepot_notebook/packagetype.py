"""The package type: what the core asks of notebooks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from entrepot.plugin import Extra, Inspection, ShelfType, StoredFile

from entrepot_notebook import thumbnail
from entrepot_notebook.description import describe, images_of
from entrepot_notebook.detection import is_notebook
from entrepot_notebook.document import read_notebook
from entrepot_notebook.graphql import NotebookFile, file_fields


class NotebookType(ShelfType):
    """Jupyter notebooks, nbformat 3 and 4. Their bytes are kept as they came."""

    name: ClassVar[str] = "notebook"
    title: ClassVar[str] = "Jupyter notebook"
    endings: ClassVar[tuple[str, ...]] = (".ipynb",)
    extra_names: ClassVar[frozenset[str]] = frozenset({thumbnail.extra_name})
    graphql_type: ClassVar[type | None] = NotebookFile

    def detect(self, file: BinaryIO, basename: str) -> bool:
        """A JSON object with `nbformat`, or text that is named `.ipynb`."""
        return is_notebook(file, basename)

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        """Validate a notebook and read what it says of itself."""
        self.check_ending(basename)
        notebook = read_notebook(file)
        description = describe(notebook, basename[: -len(".ipynb")])
        picture = thumbnail.make_thumbnail(images_of(notebook))
        return Inspection(
            name=self.proposed_name(basename),
            version=self.proposed_version(description.version),
            summary=description.summary,
            description=description.description,
            attributes=description.attributes,
            extras=(Extra(name=thumbnail.extra_name, body=picture, media_type="image/png"),) if picture else (),
            names_itself=False,
            versions_itself=False,
        )

    def record(self, file: StoredFile) -> Mapping[str, Any]:
        """What the list says of a notebook."""
        told = file.attributes
        return {"title": told["title"], "language": told["language"].get("name"), "kernel": told["kernel"].get("name")}

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """What NotebookFile adds."""
        return file_fields(file)

    def install(self, package: str, channel: str) -> Sequence[str]:
        """The newest version, under the package's name."""
        return [f"curl --fail --location --remote-name {shlex.quote(f'{channel}/{package.lower()}.ipynb')}"]
