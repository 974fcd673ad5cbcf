"""Hotfixes: what records say instead of what the package says, under the rules that an upload must keep.

conda-index applies such patches from `patch_instructions.json`; there as here a value replaces, and null removes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from entrepot.plugin import InvalidPackage, StoredFile, ValidationError

from entrepot_conda.index import clean_index, clean_run_exports
from entrepot_conda.strictjson import load_object

fields = (
    "constrains",
    "depends",
    "features",
    "license",
    "license_family",
    "purls",
    "python_site_packages_path",
    "run_exports",
    "timestamp",
    "track_features",
)
"""What a hotfix may be about. Name, version, build and subdir stand in the file's name and place, digests and size are what they are."""
_always_there = ("depends", "run_exports")
_identity = ("name", "version", "build", "build_number", "subdir", "noarch")


def clean_hotfix(file: StoredFile, changes: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """The changes as records will have them; `now` in milliseconds. Raises ValidationError for what no upload could say."""
    unknown = sorted(changes.keys() - set(fields))
    if unknown:
        raise ValidationError(f"A hotfix cannot change {unknown[0][:80]!r}: it changes {', '.join(fields)}.", field="hotfix")
    empty = [key for key in _always_there if key in changes and changes[key] is None]
    if empty:
        raise ValidationError(f"Every record has {empty[0]}: make it empty instead of null.", field="hotfix")
    try:
        given = load_object(orjson.dumps(changes), "The hotfix")
        index = {key: value for key, value in file.attributes["index"].items() if key in _identity}
        clean = clean_index({**index, **given}, now=now)
        if "run_exports" in given:
            clean["run_exports"] = _run_exports(given["run_exports"])
    except (InvalidPackage, TypeError) as error:
        raise ValidationError(f"The hotfix would spoil the record: {_said(error)}", field="hotfix") from error
    return {key: clean.get(key) for key in given}


def _run_exports(value: Any) -> dict[str, list[str]]:
    """As a package has them: a list is weak."""
    if isinstance(value, list):
        value = {"weak": value}
    if not isinstance(value, dict):
        raise InvalidPackage("run_exports must be an object of lists, or a list.")
    return clean_run_exports(value)


def _said(error: Exception) -> str:
    """Without the name of a file that an upload would have it in."""
    return str(error).removeprefix("info/index.json: ").removeprefix("info/index.json, ").rstrip(".") + "."
