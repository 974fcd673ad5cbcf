"""PyPI indexes beside pypiserver, devpi-server, simple-repository-server and nginx: uploads, pages, downloads, what a server takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bench.pypi import crowded, footprint, pages, uploads
from bench.pypi.fields import Fields
from bench.pypi.scale import FULL, QUICK, Scale
from bench.table import Table

PARTS: Mapping[str, Callable[[Fields, Scale], Sequence[Table]]] = {
    "uploads": uploads.measure,
    "pages": pages.measure,
    "firsts": pages.measure_firsts,
    "crowded": crowded.measure,
    "footprint": footprint.measure,
}


def measure(*, quick: bool) -> list[Table]:
    """All parts."""
    return measure_parts(QUICK if quick else FULL, list(PARTS))


def measure_parts(scale: Scale, names: Sequence[str]) -> list[Table]:
    """Some parts, one after the other, on servers that are filled once each."""
    with Fields() as fields:
        return [table for name in names for table in PARTS[name](fields, scale)]
