"""Where installers put what a wheel holds: one folder of metadata, one of files for other places, and nothing that passes for another package."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from entrepot.plugin import InvalidPackage
from packaging.version import Version

from entrepot_pypi.name import normalized
from entrepot_pypi.version import is_same

_metadata = ".dist-info"
_data = ".data"
_packages = (_metadata, ".egg-info", ".egg", ".egg-link")
"""What Python and pip take for an installed package, where packages are."""
_packages_in_paths = tuple(f"{ending}{end}" for ending in _packages for end in "/:")
"""Searched for as they are: to part names into folders takes a second for as many as an archive can name. Windows ends a name before a colon."""
_libraries = ("purelib", "platlib")


def find_dist_info(names: Collection[str], name: str, version: Version) -> str:
    """The one .dist-info folder, which must be that of the filename. Raises InvalidPackage."""
    tops = {top: _folded(top) for top in {member.partition("/")[0] for member in names}}
    folders = sorted(top for top, folded in tops.items() if folded.endswith(_packages))
    if len(folders) > 1:
        raise InvalidPackage(f"The wheel holds more than one .dist-info folder: {', '.join(folders[:5])}. Installers would find several packages.")
    if not folders or not _is_for(folders[0], name, version):
        raise InvalidPackage(
            f"The wheel holds no .dist-info folder that agrees with its filename, {name} {version}. Build the wheel again instead of renaming it."
        )
    data = folders[0].removesuffix(_metadata) + _data
    stray = next((top for top, folded in tops.items() if folded.endswith(_data) and top != data), None)
    if stray is not None:
        raise InvalidPackage(f"The wheel holds {stray!r}, and the only name that ends in .data is {data}. Build the wheel again.")
    _check_data(member for member in names if member.startswith(f"{data}/"))
    _check_metadata([member for member in names if member.startswith(f"{folders[0]}/")], folders[0])
    return folders[0]


def _is_for(folder: str, name: str, version: Version) -> bool:
    if not folder.endswith(_metadata):
        return False
    spelled_name, _, spelled_version = folder.removesuffix(_metadata).partition("-")
    return normalized(spelled_name) == name and is_same(spelled_version, version)


def _check_data(names: Iterable[str]) -> None:
    """What is in purelib and platlib lands beside the .dist-info folder; what is in data may land there by its path."""
    for name in names:
        _check_ends(name)
        _, scheme, *rest = name.casefold().split("/", 3)
        path = f"{rest[0] if rest and scheme in _libraries else '/'.join((scheme, *rest))}/"
        if any(package in path for package in _packages_in_paths):
            raise InvalidPackage(f"The wheel holds {name[:200]!r}: installers would take that for another package.")


def _check_metadata(names: Iterable[str], folder: str) -> None:
    """No two names that are one somewhere; and entry points that some find and others do not are two readings as well."""
    spelled = {f"{folder}/{name}".casefold(): f"{folder}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    for name in names:
        _check_ends(name)
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            raise InvalidPackage(f"The wheel holds {name[:200]!r}, which some systems take for {other[:200]!r}.")
        if ":" in name:
            raise InvalidPackage(f"The wheel holds {name[:200]!r}: what stands behind a colon is no part of the name on Windows.")


def _check_ends(name: str) -> None:
    if "./" in name or " /" in name or name.endswith((".", " ")):
        raise InvalidPackage(f"The wheel holds {name[:200]!r}: Windows leaves dots and blanks at an end away.")


def _folded(top: str) -> str:
    """A name as Windows compares it: it passes over case, dots and blanks at the end and what follows a colon."""
    return top.casefold().partition(":")[0].rstrip(". ")
