"""PyPI indexes beside pypiserver, devpi-server, simple-repository-server and nginx: uploads, pages, downloads, what a server takes."""

from __future__ import annotations

from bench.pypi import crowded, footprint, pages, uploads
from bench.pypi.fields import Fields
from bench.pypi.scale import FULL, QUICK
from bench.section import Section

SECTION = Section(
    name="pypi",
    title="PyPI indexes on this machine, beside other servers.",
    parts={
        "uploads": uploads.measure,
        "pages": pages.measure,
        "firsts": pages.measure_firsts,
        "crowded": crowded.measure,
        "footprint": footprint.measure,
    },
    shared=Fields,
    full=FULL,
    quick=QUICK,
    sizes="files that the servers hold",
    counts={"versions": "files of the one large project"},
)
