"""`entrepot token`: what programs sign in with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.clock import now
from entrepot.commands.console import as_json, note, table, timestamp, when
from entrepot.commands.site import Config, Data, setup

if TYPE_CHECKING:
    from entrepot.services.tokens import Token

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


@token.command("list")
def list_tokens(
    owner: Owner,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List the tokens of a user, the newest first. Nothing can show their secrets."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import tokens

    found = site.run(lambda: tokens.list_tokens(owner=owner))
    if json:
        as_json([described(one) for one in found])
        return
    rows = (
        (one.id, one.name, " ".join(one.scopes), when(one.created_at), when(one.last_used_at), when(one.expires_at), state_of(one)) for one in found
    )
    table(("id", "name", "scopes", "created", "last used", "expires", "state"), rows)


@token.command("revoke")
def revoke_token(
    owner: Owner,
    token_id: Annotated[str | None, typer.Argument(metavar="[TOKEN-ID]", help="Which one: its id, as `token list` shows it.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Which one: its name, if only one valid token has it.")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Revoke a token, at once on every running server, and for ever."""
    if (token_id is None) == (name is None):
        raise typer.BadParameter("Say which token: either its id, or its name with --name.")
    site = setup(data, config, must_exist=True)
    from entrepot.services import tokens

    async def revoke() -> Token:
        meant = token_id if name is None else (await tokens.token_named(owner=owner, name=name)).id
        return await tokens.revoke_token(owner=owner, token=meant or "")

    revoked = site.run(revoke)
    note(f"The token {revoked.name} ({revoked.id}) of {revoked.owner} is revoked since {when(revoked.revoked_at)}.")


def described(one: Token) -> dict[str, object]:
    """A token for scripts."""
    times = {name: timestamp(getattr(one, name)) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")}
    return {"id": one.id, "name": one.name, "scopes": list(one.scopes), **times}


def state_of(one: Token) -> str:
    """What has become of a token."""
    if one.revoked_at is not None:
        return f"revoked {when(one.revoked_at)}"
    return "valid" if one.valid(now()) else "expired"
