"""`python -m bench [--only SECTION]… [--quick]`: measure this machine and print the tables of docs/performance.md."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from bench import conda, downloads, graphql, memory, private, publish, pypi, rates, uploads
from bench.machine import Machine, header
from bench.table import Table

SECTIONS: Mapping[str, Callable[..., Sequence[Table]]] = {
    "uploads": uploads.measure,
    "rates": rates.measure,
    "publish": publish.measure,
    "private": private.measure,
    "downloads": downloads.measure,
    "graphql": graphql.measure,
    "memory": memory.measure,
    "conda": conda.SECTION.measure,
    "pypi": pypi.SECTION.measure,
}


def main() -> None:
    """Print each section when it is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Entrepot on this machine.")
    parser.add_argument(
        "--only", action="append", choices=SECTIONS, metavar="SECTION", help=f"measure this section; may be repeated ({', '.join(SECTIONS)})"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and short rounds: whether it runs, not how fast")
    options = parser.parse_args()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped too
    print(header(0.2 if options.quick else 2), flush=True)
    for name in options.only or SECTIONS:
        machine, started = Machine(), time.monotonic()
        tables = SECTIONS[name](quick=options.quick)
        tables[-1].note(f"{machine.report()} Measured in {time.monotonic() - started:.0f} s.")
        for table in tables:
            print(table, flush=True)
    print(f"Measured in {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
