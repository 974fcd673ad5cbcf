"""`entrepot migrate`."""

from __future__ import annotations

import asyncio

from entrepot.commands.console import note
from entrepot.commands.site import Config, Data, setup


def migrate(data: Data = None, config: Config = None) -> None:
    """Bring the database to the state that this version needs, as `serve` does at its start. Prints what it applied."""
    site = setup(data, config)
    from entrepot.datafolder import make_data_folder
    from entrepot.db.migrate import migrate as bring_up_to_date

    make_data_folder(site.settings)
    applied = asyncio.run(bring_up_to_date(site.settings, site.registry.models()))
    for name in applied:
        print(name, flush=True)
    note(f"Migrations applied: {len(applied)}." if applied else "The database is up to date.")
