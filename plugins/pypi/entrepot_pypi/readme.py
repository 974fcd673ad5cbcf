"""READMEs: what a package says of itself at length, in Markdown, reStructuredText or plain text, as HTML that a page may show.

readme-renderer renders them and nh3 takes out what could act. Both read what strangers wrote, and docutils can take any time over it: so a process of
its own does it, with little time and memory (`readmehtml.py`).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import escape
from pathlib import Path

from entrepot.plugin import StoredExtra, StoredFile
from packaging.metadata import parse_email

from entrepot_pypi.page import metadata_extra

pkg_info_extra = "pkg-info"
"""The metadata of an sdist that a build may change. It is kept for its README, and not served."""

longest = 512 << 10
"""In bytes. A longer README is not rendered."""
_seconds = 15
_most_kept = 16 << 20
_renderer = str(Path(__file__).with_name("readmehtml.py"))
_workers = ThreadPoolExecutor(2, "readme")
_kept: dict[tuple[str, str], str] = {}


def sidecar_of(file: StoredFile) -> StoredExtra | None:
    """The extra with the file's metadata."""
    return file.extras.get(metadata_extra) or file.extras.get(pkg_info_extra)


def source_of(metadata: bytes) -> str:
    """The README in METADATA or PKG-INFO, as it was written."""
    return parse_email(metadata)[0].get("description", "")


async def rendered(source: str, content_type: str, digest: str) -> str:
    """The README as HTML without anything that acts; as preformatted text where it is too long or does not render. `digest` tells it from others."""
    key = digest, content_type
    found = _kept.get(key)
    if found is None:
        found = await asyncio.get_running_loop().run_in_executor(_workers, _rendered, source, content_type)
        if sum(map(len, _kept.values())) + len(found) > _most_kept:
            _kept.clear()
        _kept[key] = found
    return found


def _rendered(source: str, content_type: str) -> str:
    body = source.encode("utf-8", "replace")
    if body.strip() and len(body) <= longest:
        command = [sys.executable, "-I", _renderer, content_type]
        with suppress(subprocess.SubprocessError, OSError, UnicodeDecodeError):
            return subprocess.run(command, input=body, capture_output=True, timeout=_seconds, check=True).stdout.decode()
    return f"<pre>{escape(source)}</pre>" if source.strip() else ""
