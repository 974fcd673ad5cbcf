"""`entrepot user`: users."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from entrepot.commands.console import as_json, note, table, timestamp, when
from entrepot.commands.site import Config, Data, setup
from entrepot.errors import ValidationError

user = typer.Typer(help="Users.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The user's name.")]


@user.command("create")
def create_user(
    name: Annotated[str, typer.Argument(help="The user's name, and the name of the namespace that comes with it.")],
    admin: Annotated[bool, typer.Option("--admin", help="May do everything on this server.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a user with a namespace of the same name."""
    site = setup(data, config)
    from entrepot.services import users
    from entrepot.services.namespaces import check_name

    check_name(site.registry, name)
    password = ask_password(password_stdin)
    site.run(lambda: users.create_user(site.registry, name=name, password=password, admin=admin))
    note(f"Created the user {name}{', an administrator' if admin else ''}.")
    if password is None:
        note("The user has no password and can only use tokens.")


@user.command("list")
def list_users(
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List every user, also those who are disabled."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import users

    found = site.run(users.list_users)
    if json:
        times = ({"created_at": timestamp(one.created_at), "disabled_at": timestamp(one.disabled_at)} for one in found)
        as_json([{"name": one.name, "admin": one.admin, "password": one.password, **at} for one, at in zip(found, times, strict=True)])
        return
    rows = ((one.name, "yes" if one.admin else "", "yes" if one.password else "", when(one.created_at), when(one.disabled_at, "")) for one in found)
    table(("name", "administrator", "password", "created", "disabled"), rows)


@user.command("password")
def change_password(
    name: Name,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Give a user another password, or a first one. All sessions of the user end, on every running server; the tokens go on."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import users

    password = ask_password(password_stdin)
    if password is None:
        raise ValidationError("There is no terminal to ask for the password on. Give it on standard input, with --password-stdin.")
    ended = site.run(lambda: users.set_password(name=name, password=password))
    note(f"{name} has a new password. Sessions that have ended: {ended}.")


@user.command("disable")
def disable_user(name: Name, data: Data = None, config: Config = None) -> None:
    """Disable a user: tokens and sessions stop at once, on every running server. What the user has published stays."""
    changed = set_disabled(name, True, data, config)
    note(f"{name} is disabled. Every token of {name} has stopped." if changed else f"{name} was disabled already; nothing changed.")


@user.command("enable")
def enable_user(name: Name, data: Data = None, config: Config = None) -> None:
    """Enable a user again. Tokens that have not expired and were not revoked work again."""
    changed = set_disabled(name, False, data, config)
    note(f"{name} is enabled." if changed else f"{name} was not disabled; nothing changed.")


def set_disabled(name: str, disabled: bool, data: Path | None, config: Path | None) -> bool:
    """Disable or enable a user; answers whether that changed anything."""
    site = setup(data, config, must_exist=True)
    from entrepot.services import users

    return site.run(lambda: users.set_disabled(name=name, disabled=disabled))


def ask_password(from_stdin: bool) -> str | None:
    """The password: from standard input, or asked for twice on a terminal; None where there is neither."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise ValidationError("--password-stdin was given, but there is no password on standard input.")
        return password
    if not sys.stdin.isatty():
        return None
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
