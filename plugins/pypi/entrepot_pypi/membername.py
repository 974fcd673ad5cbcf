"""Names of members of archives from strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from entrepot.plugin import InvalidPackage

_unprintable = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_drive = re.compile(r"[A-Za-z]:")
_longest = 1024


def check_name(name: str) -> None:
    """Refuse a member's name that could leave the folder it is unpacked into, or that no two systems read alike."""
    if len(name) > _longest or _unprintable.search(name) or "\\" in name:
        raise InvalidPackage(
            f"The archive holds {name[:200]!r}: names are UTF-8 without control characters and backslashes, {_longest} characters at most."
        )
    if not name or name.startswith("/") or (".." in name and ".." in name.split("/")) or _drive.match(name):
        raise InvalidPackage(f"The archive holds {name[:200]!r}, which points outside of the folder that it is unpacked into.")


def check_spelling(name: str) -> None:
    """Refuse a second spelling of another name: `a//b` and `a/./b` are unpacked as `a/b`."""
    parts = name.removesuffix("/").split("/")
    if "" in parts or "." in parts:
        raise InvalidPackage(f"The archive holds {name[:200]!r}: a name has no empty parts and no `.`. Build the file again.")


def check_link(name: str, target: str) -> None:
    """Refuse a symbolic link that leaves the archive's one folder. `..` may stand in front only: behind another link it means something else."""
    parts = target.split("/")
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    if not target or target.startswith("/") or ".." in parts[up:] or up > name.count("/") - 1 or "\\" in target or _unprintable.search(target):
        raise InvalidPackage(f"The archive holds {name[:200]!r}, a link to {target[:200]!r}: a link stays in the folder of the archive.")


def check_folders(names: Iterable[str]) -> None:
    """No name is a file (or a link) and a folder at once; those of folders end in a slash.

    Where the slash sorts before all other characters, a folder's content follows right behind its name.
    """
    before = "/"
    for name in sorted(names, key=lambda name: name.replace("/", "\0")):
        if not before.endswith("/") and name.startswith(f"{before}/"):
            raise InvalidPackage(f"The archive holds {before!r} as a file and as a folder: which one counts depends on the reader.")
        before = name
