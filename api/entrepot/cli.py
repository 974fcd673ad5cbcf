"""The command line: `entrepot serve` and the other commands of `entrepot.commands`, and the groups that plugins add."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Annotated

import typer

from entrepot.commands.backup import backup
from entrepot.commands.check import check
from entrepot.commands.console import fail
from entrepot.commands.export_schema import export_schema
from entrepot.commands.gc import gc
from entrepot.commands.import_folder import import_folder
from entrepot.commands.migrate import migrate
from entrepot.commands.serve import serve
from entrepot.commands.token import token
from entrepot.commands.user import user
from entrepot.errors import EntrepotError, PluginError, SettingsError

cli = typer.Typer(name="entrepot", help="A self-hosted package server.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

COMMANDS: Mapping[str, Callable[..., None]] = {
    "serve": serve,
    "import": import_folder,
    "check": check,
    "gc": gc,
    "backup": backup,
    "migrate": migrate,
    "export-schema": export_schema,
}
GROUPS: Mapping[str, typer.Typer] = {"user": user, "token": token}

for _name, _command in COMMANDS.items():
    cli.command(_name)(_command)
for _name, _group in GROUPS.items():
    cli.add_typer(_group, name=_name)


def app() -> None:
    """The command `entrepot`."""
    try:
        if sys.argv[1:2] and sys.argv[1] not in (*COMMANDS, *GROUPS, "--version"):
            add_plugin_commands()
        cli()
    except EntrepotError as error:
        raise SystemExit(fail(error.message)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        logging.getLogger("entrepot").debug("the system refused", exc_info=True)
        raise SystemExit(fail(f"{error.filename or 'This machine'}: {error.strerror or error}.")) from None
    except Exception as error:  # of what was not foreseen, a user gets a sentence and no traceback
        logging.getLogger("entrepot").debug("unexpected error", exc_info=True)
        raise SystemExit(
            fail(f"Something went wrong that should not have: {type(error).__name__}: {error}. ENTREPOT_LOG_LEVEL=debug shows where.")
        ) from None


def add_plugin_commands() -> None:
    """Join the plugins' groups. A broken plugin must not keep the help away: it is told of, and the rest goes on."""
    from entrepot.registry import Registry
    from entrepot.settings import load_settings

    try:
        groups = Registry.load(load_settings().plugins).commands((*COMMANDS, *GROUPS))
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
