"""An environment file, read strictly: what conda, mamba and pixi read in it, and no more."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from entrepot.plugin import InvalidPackage

from entrepot_environment.plainyaml import UnreadableYaml, Value, load

largest = 1 << 20

_most = 10_000
_longest = 2_000


class UnreadableFile(InvalidPackage):
    """The file is no text of a size that is read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an environment file says. `prefix`, the author's own folder, is left out, and so are the values of variables."""

    name: str
    version: str
    channels: Sequence[str]
    dependencies: Sequence[str]
    """What conda installs: match specifications; what the file gives a selector or another installer than pip, as `sel(linux): x`."""
    pip: Sequence[str]
    """What pip installs: its requirements and options, line by line."""
    platforms: Sequence[str]
    variables: Sequence[str]
    """The names of the variables that it sets."""


def read_environment(file: BinaryIO) -> Environment:
    """The environment. Raises InvalidPackage with a sentence."""
    text = read_text(file)
    try:
        document = load(text)
    except UnreadableYaml as error:
        raise InvalidPackage(f"The environment file is not YAML as clients read it: {error}") from error
    if not isinstance(document, dict):
        raise InvalidPackage("An environment file is a mapping with `channels` and `dependencies`; this is another YAML value.")
    if "dependencies" not in document:
        raise InvalidPackage("The environment file has no `dependencies`.")
    dependencies, pip = _dependencies(document["dependencies"])
    return Environment(
        name=_text(document, "name"),
        version=_text(document, "version"),
        channels=_texts(document, "channels"),
        dependencies=dependencies,
        pip=pip,
        platforms=_texts(document, "platforms"),
        variables=_variables(document.get("variables")),
    )


def read_text(file: BinaryIO) -> str:
    """The whole file as text. Raises UnreadableFile."""
    size = file.seek(0, os.SEEK_END)
    if size > largest:
        raise UnreadableFile(f"The environment file has {size} bytes; {largest} is the most.")
    file.seek(0)
    body = file.read()
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("The environment file is UTF-16, as some shells write it. Save it as UTF-8: conda cannot read it from a URL otherwise.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"The environment file is not UTF-8: there is a byte 0x{body[error.start]:02x} at position {error.start}.") from error


def _dependencies(given: Value) -> tuple[list[str], list[str]]:
    """What conda installs, and what pip does."""
    conda: list[str] = []
    pip: list[str] = []
    for number, item in enumerate(_list(given, "dependencies"), 1):
        if not isinstance(item, dict):
            conda.append(_checked(item, f"Dependency {number}"))
            continue
        for installer, inner in item.items():
            specifications = [_checked(one, f"Dependency {number}") for one in _several(inner, installer)]
            if installer == "pip":
                pip += specifications
            else:
                conda += [f"{_checked(installer, f'Dependency {number}')}: {specification}" for specification in specifications]
    return conda, pip


def _several(inner: Value, installer: str) -> Sequence[Value]:
    """The list under `pip:`, which may be empty; a selector may stand before one specification."""
    return [inner] if isinstance(inner, str) and installer != "pip" else _list(inner, installer[:80])


def _list(given: Value, what: str) -> Sequence[Value]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise InvalidPackage(f"`{what}` must be a list: each item on a line of its own, after a dash.")
    if len(given) > _most:
        raise InvalidPackage(f"`{what}` has {len(given)} items; {_most} is the most.")
    return given


def _checked(item: Value, what: str) -> str:
    if not isinstance(item, str) or not item.strip():
        kind = "empty" if not item else "a list" if isinstance(item, list) else "a mapping" if isinstance(item, dict) else "empty"
        raise InvalidPackage(f"{what} is {kind}; it must be text, as in `python >=3.11`.")
    if len(item) > _longest or not item.isprintable():
        raise InvalidPackage(f"{what} is longer than {_longest} characters, or holds some that cannot be printed.")
    return item.strip()


def _texts(document: Mapping[str, Value], key: str) -> list[str]:
    return [_checked(item, f"Item {number} of `{key}`") for number, item in enumerate(_list(document.get(key), key), 1)]


def _text(document: Mapping[str, Value], key: str) -> str:
    value = document.get(key)
    return "" if value is None else _checked(value, f"`{key}`")


def _variables(given: Value) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, dict):
        raise InvalidPackage("`variables` must be a mapping, as in `KEY: value`.")
    return [_checked(name, "A name in `variables`") for name in given]
