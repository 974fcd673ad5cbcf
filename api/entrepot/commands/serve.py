"""`entrepot serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from entrepot.commands.site import Config, Data


def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one. [default: 8080]")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes. [default: 1]")] = None,
    config: Config = None,
) -> None:
    """Serve packages until SIGTERM or Ctrl-C. Creates the data folder where there is none."""
    from entrepot.server import run
    from entrepot.settings import load_settings

    run(load_settings(config, data=data, host=host, port=port, workers=workers))
