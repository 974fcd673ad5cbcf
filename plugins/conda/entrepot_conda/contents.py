"""Where the members of an archive would come to lie when a client unpacks it: in the package, below info/ or beside it, and nowhere else."""

from __future__ import annotations

import re
from typing import Literal

from conda_package_handling.utils import is_info_member_path
from entrepot.plugin import InvalidPackage, TarMember

Holds = Literal["info", "pkg", "all"]
"""What an archive is for: the two halves of a .conda, or a .tar.bz2."""

_max_path = 1024
_max_depth = 48
_spare_cost = 16 << 20
_cost_of_folder = 12
_drive = re.compile(r"[A-Za-z]:")


class Contents:
    """The paths of one archive, taken member by member."""

    def __init__(self, holds: Holds, size: int) -> None:
        """`size` is that of the compressed archive, by which the time is bounded that all paths together may take."""
        self._holds = holds
        self._links: set[str] = set()
        self._cost_left = _spare_cost + size

    def place(self, member: TarMember) -> str:
        """The member's path in the package, without `./` and the like. Raises InvalidPackage for one that points elsewhere."""
        path = inside(member.path)
        self._cost_left -= len(path) + _cost_of_folder * path.count("/")
        if self._cost_left < 0:
            raise InvalidPackage("The archive holds more and longer paths than a package of its size can. Build it again without them.")
        self._check_half(path)
        if self._links and self._leads_through_link(path):
            raise InvalidPackage(f"The archive holds a file behind a symbolic link, {member.path[:200]!r}: it could be written anywhere.")
        if member.kind == "symlink" or (member.kind == "hardlink" and inside(member.target) in self._links):
            self._links.add(path)
        return path

    def _check_half(self, path: str) -> None:
        """Everything below info/ lies in the info archive, and nothing else does. Some systems know `Info` and `info.` under the same name."""
        first = path.partition("/")[0]
        is_info = is_info_member_path(path)
        if not is_info and first.rstrip(" .").lower() == "info":
            raise InvalidPackage(f"The archive holds {path[:200]!r}, which some systems take for a second info/.")
        if is_info and self._holds == "pkg":
            raise InvalidPackage(f"The pkg archive holds a second info/, {path[:200]!r}: metadata belong into the info archive alone (CEP 35).")
        if path and not is_info and self._holds == "info":
            raise InvalidPackage(f"The info archive holds {path[:200]!r}: what is not below info/ belongs into the pkg archive (CEP 35).")

    def _leads_through_link(self, path: str) -> bool:
        while path:
            if path in self._links:
                return True
            path = path.rpartition("/")[0]
        return False


def inside(name: str) -> str:
    """The path, normal. Raises InvalidPackage for one that leads out of the package on some system, or that none can hold."""
    if len(name) > _max_path or name.count("/") > _max_depth:
        raise InvalidPackage(f"The archive holds a path longer than {_max_path} characters or deeper than {_max_depth} folders: {name[:200]!r}.")
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or _drive.match(plain) or "\0" in plain:
        raise InvalidPackage(f"The archive holds a file outside of the package: {name[:200]!r}.")
    return "/".join(parts)
