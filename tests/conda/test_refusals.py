"""Every rule of what must not get in: each with a file that breaks it, refused with a sentence, soon, in little memory, and nothing left of it."""

from __future__ import annotations

import io
import re
import time
from functools import cache
from pathlib import Path

import pytest
from conda_channel import conda
from entrepot.plugin import InvalidPackage
from ground import on_folder
from hostile_conda import HOSTILE, STEM
from house import House, Person, sentence

SECONDS = 2.0
"""Of CPU time."""
MEBIBYTES = 130
"""The widest window that clients read takes 128 of them; next to it no other takes more than 40."""


@cache
def built(name: str) -> tuple[str, bytes]:
    """The file, whose name is right."""
    return STEM + HOSTILE[name].ext, HOSTILE[name].build()


def resident(what: str) -> float:
    """So many MiB of this process, from Linux's /proc: `VmRSS` now, or `VmHWM` at most."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields[what].split()[0]) / 1024


def forget_the_most() -> None:
    """From now on `VmHWM` counts anew."""
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_soon_and_in_little_memory(name: str) -> None:
    basename, body = built(name)
    forget_the_most()
    before, began = resident("VmRSS"), time.process_time()
    with pytest.raises(InvalidPackage) as caught:
        conda.inspect(io.BytesIO(body), basename)
    assert time.process_time() - began < SECONDS
    assert resident("VmHWM") - before < MEBIBYTES
    assert re.search(HOSTILE[name].words, caught.value.message), caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.message.isprintable()


@on_folder
async def test_a_hostile_upload_is_refused_and_leaves_nothing(depot: House, owner: Person) -> None:
    for name, hostile in HOSTILE.items():
        response = await owner.put(*built(name))
        assert re.search(hostile.words, sentence(response, 422)), (name, response.text)
        assert await depot.left() == {}, name
