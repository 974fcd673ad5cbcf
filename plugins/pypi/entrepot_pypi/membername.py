"""Names of members of archives from strangers."""

from __future__ import annotations

import re

from entrepot.plugin import InvalidPackage

_unprintable = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_longest = 1024


def check_name(name: str) -> None:
    """Refuse a member's name that could leave the folder it is unpacked into, or that no two systems read alike."""
    if len(name) > _longest or _unprintable.search(name) or "\\" in name:
        raise InvalidPackage(
            f"The archive holds {name[:200]!r}: names are UTF-8 without control characters and backslashes, {_longest} characters at most."
        )
    if not name or name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
        raise InvalidPackage(f"The archive holds {name[:200]!r}, which points outside of the folder that it is unpacked into.")


def check_spelling(name: str) -> None:
    """Refuse a second spelling of another name: `a//b` and `a/./b` are unpacked as `a/b`."""
    parts = name.removesuffix("/").split("/")
    if "" in parts or "." in parts:
        raise InvalidPackage(f"The archive holds {name[:200]!r}: a name has no empty parts and no `.`. Build the file again.")
