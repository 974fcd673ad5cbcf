"""`entrepot token`: what programs sign in with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.clock import now
from entrepot.commands.console import as_json, note, table, timestamp, when
from entrepot.commands.site import Config, Data, setup

if TYPE_CHECKING:
    from entrepot.services.tokens import Revocation, Token

token = typer.Typer(help="Tokens: what programs sign in with.", no_args_is_help=True)

Owner = Annotated[str, typer.Argument(metavar="OWNER", help="Whose token it is: a user, or an organization.")]


@token.command("create")
def create_token(
    owner: Owner,
    name: Annotated[str, typer.Option("--name", help="What the token is for: laptop, ci …")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help="What the token may do; several may be given. [default: all]")] = None,
    expires_in: Annotated[str, typer.Option("--expires-in", help="How long it is valid: 12h, 30d, 2w, 1y, never.")] = "365d",
    package: Annotated[str | None, typer.Option("--package", metavar="NAMESPACE/NAME", help="The one package on which it works.")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a token. It is printed alone on standard output, and can never be shown again."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import tokens

    lifetime = tokens.parse_lifetime(expires_in)

    async def create() -> str:
        scopes = scope or ["all"]
        return await tokens.create_token(site.registry, owner=owner, name=name, scopes=scopes, expires_in=lifetime, package=package)

    secret = site.run(create)
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
    """List the tokens of a user or an organization, the newest first. Nothing can show their secrets."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import tokens

    found = site.run(lambda: tokens.list_tokens(owner=owner))
    if json:
        as_json([described(one) for one in found])
        return
    table(("id", "name", "scopes", "package", "created", "last used", "expires", "state"), (row_of(one) for one in found))


def row_of(one: Token) -> tuple[str, ...]:
    """A token for people."""
    times = (when(one.created_at), when(one.last_used_at), when(one.expires_at))
    return (one.id, one.name, " ".join(one.scopes), one.package or "any", *times, state_of(one))


@token.command("revoke")
def revoke_token(
    owner: Owner,
    token_id: Annotated[str | None, typer.Argument(metavar="[TOKEN-ID]", help="Which one: its id, as `token list` shows it.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Which one: its name, if only one valid token has it.")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Revoke a token and those that were made with it, at once on every running server, and for ever."""
    if (token_id is None) == (name is None):
        raise typer.BadParameter("Say which token: either its id, or its name with --name.")
    site = setup(data, config, must_exist=True)
    from entrepot.services import tokens

    async def revoke() -> Revocation:
        meant = token_id if name is None else (await tokens.token_named(owner=owner, name=name)).id
        return await tokens.revoke_token(owner=owner, token=meant or "")

    revoked, others = site.run(revoke)
    note(f"The token {revoked.name} ({revoked.id}) of {revoked.owner} is revoked since {when(revoked.revoked_at)}.")
    for one in others:
        note(f"With it, because it was made with it: {one.name} ({one.id}) of {one.owner}.")


def described(one: Token) -> dict[str, object]:
    """A token for scripts."""
    times = {name: timestamp(getattr(one, name)) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")}
    return {"id": one.id, "name": one.name, "scopes": list(one.scopes), "package": one.package, **times}


def state_of(one: Token) -> str:
    """What has become of a token."""
    if one.revoked_at is not None:
        return f"revoked {when(one.revoked_at)}"
    return "valid" if one.valid(now()) else "expired"
