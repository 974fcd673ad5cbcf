"""`python -m bench.pypi [--only PART]… [--sizes COUNT…] [--quick]`: parts of the section, or other sizes."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import replace

from bench.machine import Machine, header
from bench.pypi import PARTS
from bench.pypi.fields import Fields
from bench.pypi.scale import FULL, QUICK


def main() -> None:
    """Print each part when it is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.pypi", description="Measure PyPI indexes on this machine, beside other servers.")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART", help=f"measure this part; may be repeated ({', '.join(PARTS)})")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="COUNT", help="files that the servers hold, the smallest first")
    parser.add_argument("--versions", type=int, metavar="COUNT", help="files of the one large project")
    parser.add_argument("--quick", action="store_true", help="small sizes and short rounds: whether it runs, not how fast")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    if options.sizes:
        scale = replace(scale, sizes=tuple(options.sizes))
    if options.versions:
        scale = replace(scale, versions=options.versions)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped too
    print(header(scale.seconds * 5), flush=True)
    with Fields() as fields:
        for name in options.only or PARTS:
            machine, began = Machine(), time.monotonic()
            tables = PARTS[name](fields, scale)
            tables[-1].note(f"{machine.report()} Measured in {time.monotonic() - began:.0f} s.")
            print(*tables, sep="\n", flush=True)


if __name__ == "__main__":
    main()
