"""`entrepot user`: users."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from entrepot.commands.console import note
from entrepot.commands.site import Config, Data, setup
from entrepot.errors import ValidationError

user = typer.Typer(help="Users.", no_args_is_help=True)


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
