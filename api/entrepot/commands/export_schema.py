"""`entrepot export-schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from entrepot.commands.console import note
from entrepot.commands.site import Config, setup


def export_schema(
    output: Annotated[Path | None, typer.Option("--output", help="The file to write. [default: standard output]")] = None,
    config: Config = None,
) -> None:
    """Print the GraphQL schema, with what the installed plugins add to it."""
    site = setup(None, config)
    from entrepot.graphql.schema import build_schema

    text = build_schema(site.registry).as_str() + "\n"
    if output is None:
        print(text, end="", flush=True)
        return
    output.write_text(text, "utf-8")
    note(f"Wrote the schema to {output}.")
