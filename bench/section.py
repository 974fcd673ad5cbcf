"""A section with parts and a scale: run whole by `python -m bench`, or in parts and other sizes by its own command."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from bench.machine import Machine, header
from bench.table import Table


class Scale(Protocol):
    """How much is measured: a frozen dataclass."""

    @property
    def seconds(self) -> float:
        """How long a rate is measured."""

    @property
    def sizes(self) -> Sequence[int]:
        """What is measured at, the smallest first."""


Shared = TypeVar("Shared")
Size = TypeVar("Size", bound=Scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Generic[Shared, Size]):
    """What its parts measure, on servers that they share."""

    name: str
    title: str
    """What is measured, as `--help` says it."""
    parts: Mapping[str, Callable[[Shared, Size], Sequence[Table]]]
    shared: Callable[[], AbstractContextManager[Shared]]
    full: Size
    quick: Size
    sizes: str
    """What `--sizes` counts."""
    counts: Mapping[str, str]
    """Other counts of the scale that the command may set, and what they are."""

    def measure(self, *, quick: bool) -> list[Table]:
        """All parts, one after the other."""
        with self.shared() as shared:
            return [table for part in self.parts.values() for table in part(shared, self.quick if quick else self.full)]

    def main(self) -> None:
        """Print each part when it is measured."""
        options = self._parser().parse_args()
        scale: Any = self.quick if options.quick else self.full
        scale = replace(scale, **{name: value for name in ("sizes", *self.counts) if (value := getattr(options, name)) is not None})
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped too
        print(header(scale.seconds * 5), flush=True)
        with self.shared() as shared:
            for name in options.only or self.parts:
                machine, began = Machine(), time.monotonic()
                tables = self.parts[name](shared, scale)
                tables[-1].note(f"{machine.report()} Measured in {time.monotonic() - began:.0f} s.")
                print(*tables, sep="\n", flush=True)

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(prog=f"python -m bench.{self.name}", description=f"Measure {self.title}")
        only = f"measure this part; may be repeated ({', '.join(self.parts)})"
        parser.add_argument("--only", action="append", choices=self.parts, metavar="PART", help=only)
        parser.add_argument("--sizes", type=int, nargs="+", metavar="COUNT", help=f"{self.sizes}, the smallest first")
        for name, meaning in self.counts.items():
            parser.add_argument(f"--{name}", type=int, metavar="COUNT", help=meaning)
        parser.add_argument("--quick", action="store_true", help="small sizes and short rounds: whether it runs, not how fast")
        return parser
