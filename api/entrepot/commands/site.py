"""What commands that work on a site's data have in common: which one it is, its settings and plugins, and its open database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from entrepot.errors import SettingsError

if TYPE_CHECKING:
    from entrepot.registry import Registry
    from entrepot.settings import Settings

T = TypeVar("T")

Data = Annotated[Path | None, typer.Option("--data", help="The folder that holds the database and the stored files. [default: entrepot-data]")]
Config = Annotated[Path | None, typer.Option("--config", help="The settings file. [default: $ENTREPOT_CONFIG, or entrepot.toml]")]


class Setup(NamedTuple):
    """What a command works with."""

    settings: Settings
    registry: Registry

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the open database, brought up to date first, and answer its result."""

        async def whole() -> T:
            async with site_database(self.settings, self.registry):
                return await work()

        return asyncio.run(whole())


def setup(data: Path | None, config: Path | None, *, must_exist: bool = False) -> Setup:
    """The settings and the plugins of a command that works on a data folder. Raises SettingsError, PluginError."""
    from entrepot.log import log_as_set
    from entrepot.registry import Registry
    from entrepot.settings import check_sections, load_settings

    settings = load_settings(config, data=data)
    log_as_set(settings, "warning" if settings.log_level == "info" else "")
    if must_exist and needs_folder(settings) and not settings.data.is_dir():
        raise SettingsError(f"There is no data folder {settings.data}. Name the server's with --data.")
    registry = Registry.load(settings.plugins)
    check_sections(settings, registry.settings_models())
    return Setup(settings, registry)


def needs_folder(settings: Settings) -> bool:
    """Whether anything that a site keeps lies in its data folder. Where database and files are elsewhere, any machine can run commands."""
    from entrepot.db.connection import sqlite_path

    return sqlite_path(settings) is not None or not settings.storage_url


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
