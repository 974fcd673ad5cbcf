"""Where the members of an archive would come to lie when a client unpacks it: in the package, below info/ or beside it, and nowhere else."""

from __future__ import annotations

import re
import unicodedata
from array import array
from typing import Literal

from conda_package_handling.utils import is_info_member_path
from entrepot.plugin import InvalidPackage, TarMember

Holds = Literal["info", "pkg", "all"]
"""What an archive is for: the two halves of a .conda, or a .tar.bz2."""

_max_path = 1024
_max_depth = 48
_spare_cost = 8 << 20
_cost_of_folder = 12
_most = 100_000
"""Of folders, and of links: all of them are remembered."""
_sibling = re.compile(r"[^/\\:]*[^/\\:.][^/\\:]*")
_drive = re.compile(r"[A-Za-z]:")


class Contents:
    """The paths of one archive, taken member by member. Of each its hash is remembered, which takes less memory than the path and is as good."""

    def __init__(self, holds: Holds, size: int) -> None:
        """`size` is that of the compressed archive, by which the time is bounded that all paths together may take."""
        self._holds = holds
        self._cost_left = _spare_cost + size
        self._links: set[int] = set()
        self._folded_links: set[int] = set()
        self._folded_ways_out: set[int] = set()
        self._folders: set[int] = set()
        self._others = array("q")

    def place(self, member: TarMember) -> str:
        """The member's path in the package, without `./` and the like. Raises InvalidPackage for one that points elsewhere."""
        path = inside(member.path)
        self._cost_left -= len(path) + _cost_of_folder * path.count("/")
        if self._cost_left < 0:
            raise InvalidPackage("The archive holds more and longer paths than a package of its size can. Build it again without them.")
        if member.kind != "folder" and _ends_as_folder(member.path):
            raise InvalidPackage(
                f"The archive holds a {member.kind} with the path of a folder, {member.path[:200]!r}: readers disagree on what it is."
            )
        self._check_half(path)
        if self._links and self._leads_through_link(path):
            raise InvalidPackage(f"The archive holds a file behind a symbolic link, {member.path[:200]!r}: it could be written anywhere.")
        self._remember(path, member)
        return path

    def finish(self) -> None:
        """Call it behind the last member. Raises InvalidPackage where something lies below a file."""
        if not self._folders.isdisjoint(self._others):
            raise InvalidPackage("The archive holds a file or link, and something else below it as if it were a folder. Build it again.")

    def _remember(self, path: str, member: TarMember) -> None:
        folder = path if member.kind == "folder" else path.rpartition("/")[0]
        while folder and hash(folder) not in self._folders:
            self._folders.add(hash(folder))
            folder = folder.rpartition("/")[0]
        if member.kind != "folder":
            self._others.append(hash(path))
        to_link = member.kind == "hardlink" and hash(_folded(inside(member.target))) in self._folded_links
        if member.kind == "symlink" or to_link:
            self._links.add(hash(path))
            self._folded_links.add(hash(_folded(path)))
            if to_link or not _sibling.fullmatch(member.target):
                self._folded_ways_out.add(hash(_folded(path)))
        if max(len(self._folders), len(self._links)) > _most:
            raise InvalidPackage(f"The archive holds more than {_most} folders or links. Build it again without them.")

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
        """Whether the path, or a folder that it lies in, is a link's, or is so on a system that takes their spellings for one.

        `bin/foo -> Foo` beside `bin/Foo` is usual on Linux and leads nowhere.
        """
        folded = _folded(path)
        if hash(path) in self._links or hash(folded) in self._folded_ways_out:
            return True
        while folded := folded.rpartition("/")[0]:
            if hash(folded) in self._folded_links:
                return True
        return False


def _folded(path: str) -> str:
    """What all spellings of a path have in common that some system takes for one: case (macOS, Windows), accents (macOS), final dots (Windows)."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
    path = path.lower()
    if "./" in path or " /" in path or path.endswith((".", " ")):
        path = "/".join([part.rstrip(" .") or part for part in path.split("/")])
    return path


def _ends_as_folder(path: str) -> bool:
    return path.replace("\\", "/").rpartition("/")[2] in ("", ".")


def inside(name: str) -> str:
    """The path, normal. Raises InvalidPackage for one that leads out of the package on some system, or that none can hold."""
    if len(name) > _max_path or name.count("/") > _max_depth:
        raise InvalidPackage(f"The archive holds a path longer than {_max_path} characters or deeper than {_max_depth} folders: {name[:200]!r}.")
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or _drive.match(plain) or "\0" in plain:
        raise InvalidPackage(f"The archive holds a file outside of the package: {name[:200]!r}.")
    return "/".join(parts)
