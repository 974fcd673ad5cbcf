"""READMEs: what a package says of itself at length, in Markdown, reStructuredText or plain text, as HTML that a page may show.

readme-renderer renders them and nh3 takes out what could act. Both read what strangers wrote, and docutils can take any time over it: so a process of
its own does it, with little time and memory and without the server's environment (`readmehtml.py`). What several readers want at once is rendered
once, and only so many wait: who comes then sees the README as it was written, and the next time perhaps as HTML.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from entrepot.plugin import Flights, StoredExtra, StoredFile
from packaging.metadata import parse_email

from entrepot_pypi.page import metadata_extra

pkg_info_extra = "pkg-info"
"""The metadata of an sdist that a build may change. It is kept for its README, and not served."""

longest = 512 << 10
"""In bytes. A longer README is cut there, and not rendered."""
most_under_way = 12
"""READMEs that are rendered or wait for it."""
seconds = 15
"""For one, on a machine that may be busy. The renderer ends itself after a third of that in CPU time."""
_most_kept = 16 << 20
_renderer = str(Path(__file__).with_name("readmehtml.py"))
_environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
"""All that a Python may need to start; the server's own holds its secrets."""
_workers = ThreadPoolExecutor(2, "readme")
_kept: dict[tuple[str, str], str] = {}
_flights: Flights[str] = Flights()


def sidecar_of(file: StoredFile) -> StoredExtra | None:
    """The extra with the file's metadata."""
    return file.extras.get(metadata_extra) or file.extras.get(pkg_info_extra)


def source_of(metadata: bytes) -> str:
    """The README in METADATA or PKG-INFO, as it was written."""
    return parse_email(metadata)[0].get("description", "")


def shown_source(metadata: bytes) -> tuple[str, bool]:
    """The README as far as it is shown, and whether it was cut. Takes a while over five megabytes: for a thread."""
    source = source_of(metadata)
    body = source.encode("utf-8", "replace")
    return (source, False) if len(body) <= longest else (body[:longest].decode("utf-8", "ignore"), True)


def as_written(source: str) -> str:
    """The README as preformatted text."""
    return f"<pre>{escape(source)}</pre>" if source.strip() else ""


async def rendered(source: str, content_type: str, digest: str) -> str:
    """The README as HTML without anything that acts; as it was written where it does not render, and while too many wait. `digest` tells it from
    others."""
    key = digest, content_type
    found = _kept.get(key)
    if found is not None:
        return found
    if len(_flights) >= most_under_way and key not in _flights:
        return as_written(source)
    return await _flights.join(key, lambda: _render(key, source, content_type))


async def _render(key: tuple[str, str], source: str, content_type: str) -> str:
    """Render it and keep the result, unless that says more of the machine than of the README."""
    found = await asyncio.get_running_loop().run_in_executor(_workers, _html, source, content_type)
    if found is None:
        return as_written(source)
    if sum(map(len, _kept.values())) + len(found) > _most_kept:
        _kept.clear()
    _kept[key] = found
    return found


def _html(source: str, content_type: str) -> str | None:
    """None: it could not be tried to the end. The machine was too busy for that, or something has ended the renderer."""
    if not source.strip():
        return ""
    command, body = [sys.executable, "-I", _renderer, content_type], source.encode("utf-8", "replace")
    try:
        made = subprocess.run(command, input=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds, env=_environment, check=False)
        if made.returncode == 0:
            return made.stdout.decode()
    except (subprocess.TimeoutExpired, OSError):
        return None
    return None if made.returncode == -signal.SIGKILL else as_written(source)
