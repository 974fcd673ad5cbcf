"""What a server takes: time to start, and memory."""

from __future__ import annotations

from bench.pypi.fields import Fields
from bench.pypi.scale import Scale
from bench.table import Table


def measure(fields: Fields, scale: Scale) -> list[Table]:
    """At each size, after all that was measured before."""
    table = Table("Start and memory, beside the peers", "server", "files", "start s", "VmRSS MiB", "VmHWM MiB")
    for size in scale.sizes:
        for rival in fields.of(size).rivals:
            table.add(rival.title, size, rival.started, *rival.process.memories())
    table.note("Start: of an empty server, from its start to its first answer. VmHWM: the most that it held in all parts before this one.")
    return [table]
