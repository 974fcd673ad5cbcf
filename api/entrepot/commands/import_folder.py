"""`entrepot import`: a folder of packages into a namespace."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.commands.console import fail, note
from entrepot.commands.site import Config, Data, setup
from entrepot.errors import Unavailable

if TYPE_CHECKING:
    from entrepot.commands.importreport import ImportReport
    from entrepot.commands.site import Setup
    from entrepot.services.imports.request import Request
    from entrepot.services.imports.run import Import

AGAIN = "Run the same command again to go on: what is there already is passed over."
INTERRUPTED = 130


def import_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A conda channel, or a folder of wheels and sdists. It is only read.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="The namespace that gets the packages.")],
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="A label for the files; several may be given. Those below label/NAME/ get NAME. [default: main]"),
    ] = None,
    type: Annotated[list[str] | None, typer.Option("--type", help="Import packages of this type only; several may be given.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Pass over what this pattern matches, as in 'win-*'; several may be given.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make new packages private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Inspect everything and publish nothing.")] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Files that are taken at the same time. [default: one for each processor, and two at least]")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write what became of each file as lines of JSON; - is standard output.")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Import a folder of packages, each as if it were uploaded. Beside a running server or without; run it again to go on where it ended.

    Exits with 1 where a file was refused.
    """
    site = setup(data, config, must_exist=True)
    from entrepot.commands.importreport import ImportReport
    from entrepot.services.imports.request import Request

    request = Request(
        folder=folder,
        namespace=namespace,
        labels=label or (),
        types=type or (),
        exclude=exclude or (),
        private=private,
        dry_run=dry_run,
        jobs=jobs,
    )
    with ImportReport(report, request) as told:
        code = run(site, request, told)
    raise SystemExit(code)


def run(site: Setup, request: Request, told: ImportReport) -> int:
    """Import, and tell of it also where it ends before its end; answers the exit code."""
    try:
        whole = site.run(lambda: work(site, request, told))
    except Unavailable as error:
        told.end(whole=False)
        return fail(f"{error.message} The import has stopped. {AGAIN}")
    except asyncio.CancelledError:
        whole = False
    told.end(whole=whole)
    if not whole:
        note(f"The import was interrupted. {AGAIN}")
        return INTERRUPTED
    return 1 if told.refused else 0


async def work(site: Setup, request: Request, told: ImportReport) -> bool:
    """Import with the open database; answers whether it was to the end."""
    from entrepot.app import open_site
    from entrepot.services.imports.run import Import

    opened = open_site(site.settings, site.registry)
    try:
        running = Import(opened, request, told)
        with ending(running, told):
            await running.run()
        return not running.stopped
    finally:
        opened.close()


@contextmanager
def ending(running: Import, told: ImportReport) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the import after the files that are being taken; a second one ends it at once, which loses nothing either."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def end() -> None:
        if running.stopped and task is not None:
            task.cancel()
        running.stop()
        told.waiting("Ending after the files that are being taken.")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
