"""`entrepot gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.clock import span_of
from entrepot.commands.console import fail, note
from entrepot.commands.site import Config, Data, setup
from entrepot.errors import ValidationError

if TYPE_CHECKING:
    from entrepot.services.collection import Report


def gc(
    older_than: Annotated[str, typer.Option("--older-than", help="Leave alone what somebody touched later: 90m, 24h, 7d …")] = "24h",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Collect garbage: bytes that no file needs, old shards, the old change log. Runs beside servers; let a timer run it daily."""
    site = setup(data, config, must_exist=True)
    from entrepot.services.collection import SAFE, collect
    from entrepot.storage import open_storage

    age = span_of(older_than)
    if age is None:
        raise ValidationError(f"{older_than[:40]!r} is no span of time: write a number and a unit, like 90m, 24h, 7d or 2w.")
    if age < SAFE and not dry_run:
        note("Nothing that was published is at risk. But an upload that is under way for longer than this fails with 503, and has to be sent again.")
    report = site.run(lambda: collect(open_storage(site.settings), older_than=age, dry_run=dry_run))
    for line in lines_of(report):
        print(line, flush=True)
    for failure in report.failures[:20]:
        note(failure)
    if report.failures:
        raise SystemExit(fail(f"Blobs that could not be removed from storage: {len(report.failures)}. The next run tries again."))


def lines_of(report: Report) -> list[str]:
    """A report for people."""
    from rich.filesize import decimal

    removed = "to be removed" if report.dry_run else "removed"
    recorded = "to be put on record" if report.dry_run else "put on record"
    lines = [
        f"Blobs that nothing needs, {removed}: {report.blobs.count} ({decimal(report.blobs.size)})",
        f"Bytes that no row knew, {recorded}: {report.strays.count} ({decimal(report.strays.size)})",
        f"Shards that no index names, {removed}: {report.shards.count} ({decimal(report.shards.size)})",
        f"Rows of the change log, {removed}: {report.changes}",
        f"Announced uploads that expired, {removed}: {report.staged}",
        f"Sessions that expired, {removed}: {report.sessions}",
        f"Counts of failed logins that are forgotten, {removed}: {report.throttles}",
    ]
    return lines if report.dry_run else [*lines, f"Spooled files that dead uploads left here, removed: {report.spooled}"]
