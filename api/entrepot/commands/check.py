"""`entrepot check`."""

from __future__ import annotations

from entrepot.commands.console import fail, note
from entrepot.commands.site import Config, Data, setup


def check(data: Data = None, config: Config = None) -> None:
    """Check that every row has its bytes and every blob its row. Exits with 1 where something is wrong; changes nothing."""
    site = setup(data, config, must_exist=True)
    from entrepot.services.checks import check as look
    from entrepot.storage import open_storage

    report = site.run(lambda: look(open_storage(site.settings), site.registry))
    for text in report.notes:
        note(text)
    looked_at = f"files: {report.files}, blobs: {report.blobs}"
    for problem in report.problems:
        print(problem, flush=True)
    if report.problems:
        raise SystemExit(fail(f"Problems: {len(report.problems)}. Looked at {looked_at}."))
    note(f"All is well. Looked at {looked_at}.")
