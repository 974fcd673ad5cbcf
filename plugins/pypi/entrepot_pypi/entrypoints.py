"""entry_points.txt: of what stands in it, the scripts, of which installers make files."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from importlib.metadata import Distribution
from typing import NoReturn

from entrepot.plugin import InvalidPackage

_most_lines = 5_000
"""The libraries that read them make objects of lines. A hundred times what is common."""
_groups = ("console_scripts", "gui_scripts")
_gap = re.compile(r"[^\S\n]+")
_script = re.compile(r"(?!\.+\Z)[\w.-]+")

_Scripts = Mapping[tuple[str, str], str]


class _Text(Distribution):
    """What the standard library, and with it pip, takes for an installed package: of this one there is nothing but the text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        """The one file that there is."""
        return self._text if filename == "entry_points.txt" else None

    def locate_file(self, path: str | os.PathLike[str]) -> NoReturn:
        """Nowhere."""
        raise FileNotFoundError(path)


def check_scripts(body: bytes) -> None:
    """Each script has a name that is one, and pip, which reads line by line, finds the scripts that readers of INI files find.

    Raises InvalidPackage.
    """
    try:
        text = body.decode()
        if len(text.splitlines()) > _most_lines:  # of every kind that ends a line for one of the readers
            raise InvalidPackage(f"The wheel's entry_points.txt has more than {_most_lines} lines.")
        scripts, others = _by_sections(text), _by_lines(text)
    except (configparser.Error, ValueError) as error:
        raise InvalidPackage(f"The wheel's entry_points.txt cannot be read ({str(error)[:300]}).") from error
    wrong = next((name for _, name in (*scripts, *others) if _script.fullmatch(name) is None), None)
    if wrong is not None:
        raise InvalidPackage(
            f"The wheel's entry_points.txt names a script {wrong[:80]!r}: letters, digits, `.`, `-` and `_` are allowed, and not dots alone."
        )
    if scripts != others:
        raise InvalidPackage(
            "The wheel's entry_points.txt is read two ways: not all installers find the same scripts in it. Write one `name = module:object` "
            "in a line, unindented, and [console_scripts] or [gui_scripts] in a line of its own before them."
        )


def _by_lines(text: str) -> _Scripts:
    try:
        points = _Text(text).entry_points
    except TypeError as error:
        raise ValueError("a line is neither a [group] nor `name = object`") from error
    return {(group, point.name): _joined(point.value) for point in points if (group := _folded(point.group)) in _groups}


def _by_sections(text: str) -> _Scripts:
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(_gap.sub(" ", text))  # configparser takes a time that grows with the square of a gap's length
    sections = ((group, section) for section in parser.sections() if (group := _folded(section)) in _groups)
    return {(group, name): _joined(value) for group, section in sections for name, value in parser.items(section)}


def _folded(group: str) -> str:
    """Some installers pass over blanks and case."""
    return group.strip().lower()


def _joined(value: str) -> str:
    return " ".join(value.split())
