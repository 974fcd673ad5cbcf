"""What a package does beside being unpacked, as channeldata.json tells (CEP 38): scripts that run, and files in which its place is written."""

from __future__ import annotations

import re
from collections.abc import Iterable

_folders = ("etc/conda/activate.d/", "etc/conda/deactivate.d/")
_script = re.compile(r"(?:bin|Scripts)/\.[^/]+-(post-link|pre-link|pre-unlink)\.(?:sh|bat)", re.ASCII)
_mode = re.compile(rb'"file_mode"\s{0,8}:\s{0,8}"(binary|text)"')
_longest = 64  # of what `_mode` matches


class Traits:
    """Taken from the archive member by member."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        """As CEP 38 names them."""

    def see(self, path: str) -> None:
        """A file by its path in the package."""
        if path.startswith(_folders):
            self.held.add(path.split("/")[2])
        elif match := _script.fullmatch(path):
            self.held.add(match[1].replace("-", "_"))

    def scan(self, pieces: Iterable[bytes]) -> None:
        """info/paths.json in pieces. It may be very large and tells nothing else here, so it is searched and not parsed."""
        tail = b""
        for piece in pieces:
            text = tail + piece
            self.held |= {f"{mode.decode()}_prefix" for mode in _mode.findall(text)}
            tail = text[-_longest:]
