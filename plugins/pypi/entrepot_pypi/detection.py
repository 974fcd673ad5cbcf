"""Which files are wheels and sdists: by their bytes first, then by their names. Bounded, and never raises."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

from entrepot.plugin import InvalidPackage

from entrepot_pypi.sdist import stem
from entrepot_pypi.tararchive import is_gzip, peeked
from entrepot_pypi.ziparchive import is_zip
from entrepot_pypi.zipend import find_directory
from entrepot_pypi.zipmember import listed_names

_tail = 128 << 10
_wheel_file = re.compile(rb"[^/]+\.dist-info/WHEEL")
_pkg_info = re.compile(r"(\./)?[^/]+/PKG-INFO")
_zipped_pkg_info = re.compile(rb"[^/]+/PKG-INFO")


def is_package(file: BinaryIO, basename: str) -> bool:
    """Whether the file is a wheel or an sdist, or plainly wants to be one: then its inspection has the better words for what is wrong with it."""
    if is_zip(file):
        return (basename.endswith(".whl") and not _may_be_conda(file)) or _is_zipped_package(file, basename)
    return is_gzip(file) and ((basename.endswith(".tar.gz") and stem(basename) is not None) or _has_pkg_info(file))


def _may_be_conda(file: BinaryIO) -> bool:
    """Whether the name of a member that every conda package has stands in the last bytes: no wheel's directory need be read to tell it from those."""
    return b"metadata.json" in _last_bytes(file)


def _may_have_pkg_info(file: BinaryIO) -> bool:
    """Whether a zip that cannot be read wants to be an sdist."""
    return b"/PKG-INFO" in _last_bytes(file)


def _last_bytes(file: BinaryIO) -> bytes:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _tail))
    return file.read(_tail)


def _is_zipped_package(file: BinaryIO, basename: str) -> bool:
    """By the names in its directory: whether the archive is whole is for its inspection to say, which walks it once."""
    try:
        directory = find_directory(file)
    except InvalidPackage:
        return basename.endswith(".whl") or (basename.endswith(".zip") and _may_have_pkg_info(file))
    file.seek(directory.offset)
    names = set(listed_names(file.read(directory.length)))
    if b"metadata.json" in names and any(name.startswith(b"info-") and name.endswith(b".tar.zst") for name in names):
        return False  # a conda package
    if basename.endswith(".whl") or any(map(_wheel_file.fullmatch, names)):
        return True
    return basename.endswith(".zip") and any(map(_zipped_pkg_info.fullmatch, names))


def _has_pkg_info(file: BinaryIO) -> bool:
    """Whether PKG-INFO is among the first members of a tar."""
    try:
        return any(_pkg_info.fullmatch(member.path) for member in peeked(file))
    except (InvalidPackage, OSError):
        return False
