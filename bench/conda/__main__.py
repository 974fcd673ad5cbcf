"""`python -m bench.conda [--only PART]… [--sizes COUNT…] [--quick]`: parts of the section, or other sizes."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import replace

from bench.conda import PARTS
from bench.conda.scale import FULL, QUICK
from bench.conda.stocks import Stocks
from bench.machine import Machine, header


def main() -> None:
    """Print each part when it is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.conda", description="Measure conda channels on this machine.")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART", help=f"measure this part; may be repeated ({', '.join(PARTS)})")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="COUNT", help="records of the channels, the smallest first")
    parser.add_argument("--indexed", type=int, metavar="COUNT", help="the largest channel that conda-index is given, which takes minutes at 100,000")
    parser.add_argument("--quick", action="store_true", help="small sizes and short rounds: whether it runs, not how fast")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    if options.sizes:
        scale = replace(scale, sizes=tuple(options.sizes))
    if options.indexed:
        scale = replace(scale, indexed=options.indexed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped too
    print(header(scale.seconds * 5), flush=True)
    with Stocks() as stocks:
        for name in options.only or PARTS:
            machine, began = Machine(), time.monotonic()
            tables = PARTS[name](stocks, scale)
            tables[-1].note(f"{machine.report()} Measured in {time.monotonic() - began:.0f} s.")
            print(*tables, sep="\n", flush=True)


if __name__ == "__main__":
    main()
