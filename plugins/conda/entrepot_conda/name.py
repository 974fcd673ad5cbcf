"""What conda calls things: packages, builds, subdirs and files (CEP 26). Versions are in `version`."""

from __future__ import annotations

import re
from typing import NamedTuple

from entrepot.plugin import ValidationError

extensions = (".conda", ".tar.bz2")

_name = re.compile(r"(([a-z0-9])|([a-z0-9_](?!_)))[._-]?([a-z0-9]+(\.|-|_|$))*")
_build = re.compile(r"[a-zA-Z0-9_.+]+")
_subdir = re.compile(r"noarch|[a-z0-9]+-[a-z0-9]+")
_max_part = 64
_max_subdir = 32


class Filename(NamedTuple):
    """`<name>-<version>-<build><extension>`, taken apart. Neither version nor build may hold a hyphen, so this is exact."""

    name: str
    version: str
    build: str
    extension: str


def split_filename(basename: str) -> Filename | None:
    """The parts of a conda file name; None for any other name. The parts are not validated."""
    for extension in extensions:
        if basename.endswith(extension):
            name, _, build = basename[: -len(extension)].rpartition("-")
            name, _, version = name.rpartition("-")
            return Filename(name, version, build, extension) if name and version and build else None
    return None


def check_name(name: str) -> str:
    """The name itself. Raises ValidationError for what is no conda package name."""
    if len(name) <= _max_part and _name.fullmatch(name):
        return name
    if name.startswith("__"):
        raise ValidationError(f"{_shown(name)} is no package name: names that start with two underscores are conda's virtual packages.")
    raise ValidationError(
        f"{_shown(name)} is no conda package name: use up to {_max_part} lower-case letters, digits, '.', '_' and '-', "
        "starting with a letter, a digit or one underscore (CEP 26)."
    )


def check_build(build: str) -> str:
    """The build string itself. Raises ValidationError for what is none."""
    if len(build) <= _max_part and _build.fullmatch(build):
        return build
    raise ValidationError(f"{_shown(build)} is no conda build string: use up to {_max_part} letters, digits, '_', '.' and '+' (CEP 26).")


def check_subdir(subdir: str) -> str:
    """The subdir itself. Raises ValidationError for what is none."""
    if is_subdir(subdir):
        return subdir
    raise ValidationError(f"{_shown(subdir)} is no conda subdir: it must be 'noarch' or like 'linux-64', at most {_max_subdir} characters (CEP 26).")


def is_subdir(subdir: str) -> bool:
    """Whether this is spelled as a subdir is."""
    return len(subdir) <= _max_subdir and _subdir.fullmatch(subdir) is not None


def _shown(value: str) -> str:
    return repr(value if len(value) <= 80 else value[:77] + "...")
