"""`entrepot backup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from entrepot.commands.console import fail, note
from entrepot.commands.site import Config, Data, setup
from entrepot.errors import SettingsError


def backup(
    folder: Annotated[Path, typer.Argument(help="Where the copy goes. It is a data folder itself; made again, only what is new is copied.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Copy the database and the files of a data folder, beside running servers. For SQLite; for PostgreSQL, docs/operate.md says what to do."""
    site = setup(data, config, must_exist=True)
    from rich.console import Console
    from rich.filesize import decimal
    from rich.progress import Progress

    from entrepot.db.connection import sqlite_path
    from entrepot.services.backup import back_up
    from entrepot.storage import open_storage

    database = sqlite_path(site.settings)
    if database is None:
        raise SettingsError("This site's database is PostgreSQL: use pg_dump first, and then copy the files. docs/operate.md has the commands.")
    if not database.is_file():
        raise SettingsError(f"There is no database {database}. Name the server's data folder with --data.")
    storage = None if site.settings.storage_url else open_storage(site.settings)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Copying files")
        done = back_up(database=database, storage=storage, folder=folder, progress=lambda at, of: bar.update(task, completed=at, total=of))
    for problem in done.problems:
        print(problem, flush=True)
    if done.problems:
        raise SystemExit(fail(f"Blobs that could not be copied: {len(done.problems)}. Run it again, and if that does not help, `entrepot check`."))
    note(f"The database is copied. Blobs: {done.blobs}, of which were copied now: {done.copied} ({decimal(done.size)}).")
    if storage is None:
        note("The files are in an object store. Copy its bucket now, after the database.")
