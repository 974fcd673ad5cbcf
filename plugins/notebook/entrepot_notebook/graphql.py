"""What the type adds to the GraphQL schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import strawberry
from entrepot.plugin import File, StoredFile

from entrepot_notebook.thumbnail import extra_name


@strawberry.type(description="A Jupyter notebook. What it says of itself is its author's text.")
class NotebookFile(File):
    """Filled by `file_fields`."""

    title: str = strawberry.field(description="The title in its metadata, else its first heading, else its name.")
    authors: list[str] = strawberry.field(description="The names of its authors, where its metadata has them.")
    nbformat: str = strawberry.field(description="The version of the notebook format, as in `4.5`.")
    language: str | None = strawberry.field(description="The programming language of its code, as its kernel names it: `python`, `R`, `julia`.")
    language_version: str | None = strawberry.field(description="The version of the language with which it was last run.")
    kernel: str | None = strawberry.field(description="The name of its kernel, as in `python3`.")
    kernel_display_name: str | None = strawberry.field(description="The name of its kernel for people.")
    cell_count: int = strawberry.field(description="How many cells it has.")
    code_cell_count: int = strawberry.field(description="How many of them hold code.")
    markdown_cell_count: int = strawberry.field(description="How many of them hold text in Markdown.")
    executed: bool = strawberry.field(description="Whether any of its code was run before it was saved.")
    has_errors: bool = strawberry.field(description="Whether an error is among its outputs.")
    has_widgets: bool = strawberry.field(description="Whether it has interactive widgets.")
    output_types: list[str] = strawberry.field(description="The media types of its outputs, sorted; of very many, some.")
    thumbnail: str | None = strawberry.field(
        description="Where a small PNG of the first image among its outputs is, as a path on this site; null where it has none."
    )


def file_fields(file: StoredFile) -> Mapping[str, Any]:
    """The values of NotebookFile's own fields."""
    told = file.attributes
    return {
        "title": told["title"],
        "authors": told["authors"],
        "nbformat": f"{told['nbformat']}.{told['nbformat_minor']}",
        "language": told["language"].get("name"),
        "language_version": told["language"].get("version"),
        "kernel": told["kernel"].get("name"),
        "kernel_display_name": told["kernel"].get("display_name"),
        "cell_count": sum(told["cells"].values()),
        "code_cell_count": told["cells"].get("code", 0),
        "markdown_cell_count": told["cells"].get("markdown", 0),
        "executed": told["executed"],
        "has_errors": told["errors"],
        "has_widgets": told["widgets"],
        "output_types": told["output_types"],
        "thumbnail": f"/notebook/{quote(file.namespace)}/{quote(file.path)}/{extra_name}" if extra_name in file.extras else None,
    }
