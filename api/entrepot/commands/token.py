"""`entrepot token`: what programs sign in with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from entrepot.commands.console import note
from entrepot.commands.site import Config, Data, setup

token = typer.Typer(help="Tokens: what programs sign in with.", no_args_is_help=True)

Owner = Annotated[str, typer.Argument(metavar="USER", help="Whose token it is.")]


@token.command("create")
def create_token(
    owner: Owner,
    name: Annotated[str, typer.Option("--name", help="What the token is for: laptop, ci …")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help="What the token may do; several may be given. [default: all]")] = None,
    expires_in: Annotated[str, typer.Option("--expires-in", help="How long it is valid: 12h, 30d, 2w, 1y, never.")] = "365d",
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a token. It is printed alone on standard output, and can never be shown again."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import tokens

    lifetime = tokens.parse_lifetime(expires_in)
    secret = site.run(lambda: tokens.create_token(site.registry, owner=owner, name=name, scopes=scope or ["all"], expires_in=lifetime))
    note(f"Keep this token: it cannot be shown again. It is valid {until(lifetime)}.")
    print(secret, flush=True)


def until(lifetime: timedelta | None) -> str:
    """How long a token lives, for people."""
    return "without an end" if lifetime is None else f"until {datetime.now().astimezone() + lifetime:%Y-%m-%d %H:%M %Z}"
