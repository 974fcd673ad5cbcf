"""The command line: `entrepot serve`, `user`, `token`, `check`, and the groups that plugins add."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from entrepot.errors import EntrepotError, PluginError, SettingsError, ValidationError
from entrepot.log import configure_logging
from entrepot.settings import Settings, check_sections, load_settings

if TYPE_CHECKING:
    from entrepot.registry import Registry

Data = Annotated[Path | None, typer.Option("--data", help="The folder that holds the database and the stored files. [default: entrepot-data]")]
Config = Annotated[Path | None, typer.Option("--config", help="The settings file. [default: $ENTREPOT_CONFIG, or entrepot.toml]")]

cli = typer.Typer(name="entrepot", help="A self-hosted package server.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user = typer.Typer(help="Users.", no_args_is_help=True)
token = typer.Typer(help="Tokens: what programs sign in with.", no_args_is_help=True)
cli.add_typer(user, name="user")
cli.add_typer(token, name="token")

CORE_COMMANDS = ("serve", "check", "user", "token")


def app() -> None:
    """The command `entrepot`."""
    try:
        if sys.argv[1:2] and sys.argv[1] not in (*CORE_COMMANDS, "--version"):
            add_plugin_commands()
        cli()
    except EntrepotError as error:
        raise SystemExit(fail(error.message)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        logging.getLogger("entrepot").debug("the system refused", exc_info=True)
        raise SystemExit(fail(f"{error.filename or 'This machine'}: {error.strerror or error}.")) from None
    except Exception as error:
        logging.getLogger("entrepot").debug("unexpected error", exc_info=True)
        raise SystemExit(
            fail(f"Something went wrong that should not have: {type(error).__name__}: {error}. ENTREPOT_LOG_LEVEL=debug shows where.")
        ) from None


def fail(message: str) -> int:
    """Print one red sentence on standard error; answers the exit code."""
    Console(stderr=True, highlight=False).print(message, style="red", markup=False, soft_wrap=True)
    return 1


def note(message: str) -> None:
    """Tell a person something without touching standard output, which belongs to scripts."""
    Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)


def add_plugin_commands() -> None:
    """Join the plugins' groups. A broken plugin must not keep the help away: it is told of, and the rest goes on."""
    from entrepot.registry import Registry

    try:
        groups = Registry.load(load_settings().plugins).commands(CORE_COMMANDS)
    except (PluginError, SettingsError) as error:
        fail(error.message)
        return
    for name, group in groups.items():
        cli.add_typer(group, name=name)


def print_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        print(f"entrepot {version('entrepot')}")
        raise typer.Exit


@cli.callback()
def main(
    _: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """A self-hosted package server."""


@cli.command()
def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one. [default: 8080]")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes. [default: 1]")] = None,
    config: Config = None,
) -> None:
    """Serve packages until SIGTERM or Ctrl-C. Creates the data folder where there is none."""
    settings = load_settings(config, data=data, host=host, port=port, workers=workers)
    from entrepot.server import run

    run(settings)


@user.command("create")
def create_user(
    name: Annotated[str, typer.Argument(help="The user's name, and the name of the namespace that comes with it.")],
    admin: Annotated[bool, typer.Option("--admin", help="May do everything on this server.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a user with a namespace of the same name."""
    settings, registry = setup(data, config)
    from entrepot.services.namespaces import check_name
    from entrepot.services.users import create_user as add_user

    check_name(registry, name)
    password = ask_password(password_stdin)

    async def create() -> None:
        async with site_database(settings, registry):
            await add_user(registry, name=name, password=password, admin=admin)

    asyncio.run(create())
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


@token.command("create")
def create_token(
    owner: Annotated[str, typer.Argument(metavar="USER", help="Whose token it is.")],
    name: Annotated[str, typer.Option("--name", help="What the token is for: laptop, ci …")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help="What the token may do; several may be given. [default: all]")] = None,
    expires_in: Annotated[str, typer.Option("--expires-in", help="How long it is valid: 12h, 30d, 2w, 1y, never.")] = "365d",
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a token. It is printed alone on standard output, and can never be shown again."""
    settings, registry = setup(data, config, must_exist=True)
    from entrepot.services.tokens import create_token as add_token
    from entrepot.services.tokens import parse_lifetime

    lifetime = parse_lifetime(expires_in)

    async def create() -> str:
        async with site_database(settings, registry):
            return await add_token(registry, owner=owner, name=name, scopes=scope or ["all"], expires_in=lifetime)

    secret = asyncio.run(create())
    note(f"Keep this token: it cannot be shown again. It is valid {until(lifetime)}.")
    print(secret, flush=True)


def until(lifetime: timedelta | None) -> str:
    """How long a token lives, for people."""
    return "without an end" if lifetime is None else f"until {datetime.now().astimezone() + lifetime:%Y-%m-%d %H:%M %Z}"


@cli.command()
def check(data: Data = None, config: Config = None) -> None:
    """Check that every row has its bytes and every blob its row. Exits with 1 where something is wrong; changes nothing."""
    settings, registry = setup(data, config, must_exist=True)
    from entrepot.services.checks import Report
    from entrepot.services.checks import check as look
    from entrepot.storage import open_storage

    async def work() -> Report:
        async with site_database(settings, registry):
            return await look(open_storage(settings), registry)

    report = asyncio.run(work())
    for text in report.notes:
        note(text)
    looked_at = f"files: {report.files}, blobs: {report.blobs}"
    for problem in report.problems:
        print(problem, flush=True)
    if report.problems:
        raise SystemExit(fail(f"Problems: {len(report.problems)}. Looked at {looked_at}."))
    note(f"All is well. Looked at {looked_at}.")


def setup(data: Path | None, config: Path | None, *, must_exist: bool = False) -> tuple[Settings, Registry]:
    """The settings and the plugins of a command that works on a data folder."""
    settings = load_settings(config, data=data)
    configure_logging("warning" if settings.log_level == "info" else settings.log_level)
    if must_exist and not settings.data.is_dir():
        raise SettingsError(f"There is no data folder {settings.data}. Name the server's with --data.")
    from entrepot.registry import Registry

    registry = Registry.load(settings.plugins)
    check_sections(settings, registry.settings_models())
    return settings, registry


@asynccontextmanager
async def site_database(settings: Settings, registry: Registry) -> AsyncIterator[None]:
    """The open database, brought up to date first."""
    from entrepot.datafolder import make_data_folder
    from entrepot.db.connection import database
    from entrepot.db.migrate import migrate

    make_data_folder(settings)
    apps = registry.models()
    await migrate(settings, apps)
    async with database(settings, apps):
        yield
