"""What an upload says of itself, believed only where its parts agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from entrepot.plugin import Inspection, InvalidPackage

from entrepot_conda.archive import Archive, read_archive
from entrepot_conda.index import clean_index, clean_run_exports, links
from entrepot_conda.name import split_filename
from entrepot_conda.strictjson import load_object

_max_summary = 1024
_max_description = 64 << 10


def inspect(file: BinaryIO, basename: str, *, now: int) -> Inspection:
    """Read an upload; `now` in milliseconds. Raises InvalidPackage for whatever is wrong with it."""
    archive = read_archive(file)
    if "index.json" not in archive.documents:
        raise InvalidPackage("The archive has no info/index.json: it is no conda package.")
    index = clean_index(load_object(archive.documents["index.json"], "info/index.json"), now=now)
    _check_filename(archive, index, basename)
    about = _about(archive.documents.get("about.json"))
    return Inspection(
        name=index["name"],
        version=index["version"],
        summary=_text(about, "summary", _max_summary),
        description=_text(about, "description", _max_description),
        license=index.get("license") or _text(about, "license", _max_summary),
        platform=index["subdir"],
        attributes={
            "index": index,
            "run_exports": _run_exports(archive.documents.get("run_exports.json")),
            "about": links(about),
            "traits": sorted(archive.traits),
        },
    )


def _check_filename(archive: Archive, index: Mapping[str, Any], basename: str) -> None:
    """One stem, in the index, in the members of a .conda and in the name of the file."""
    stem = f"{index['name']}-{index['version']}-{index['build']}"
    right = stem + archive.extension
    if archive.stem not in (None, stem):
        raise InvalidPackage(f"The archive's members are named after {str(archive.stem)[:200]!r}, but info/index.json says {stem!r}.")
    if basename != right:
        kind = "" if split_filename(basename) else f" (a conda file name ends with {archive.extension})"
        raise InvalidPackage(f"The file is named {basename[:255]!r}, but by its content it is {right!r}{kind}. Upload it under that name.")


def _about(body: bytes | None) -> dict[str, Any]:
    """about.json is for people: a bad one is as good as none."""
    if body is None:
        return {}
    try:
        return load_object(body, "info/about.json")
    except InvalidPackage:
        return {}


def _run_exports(body: bytes | None) -> dict[str, list[str]]:
    """Empty where the package has none: all of its metadata was read, so that is known (CEP 21 tells unknown from none)."""
    if body is None:
        return {}
    if body.lstrip().startswith(b"["):  # the list form, which is weak
        body = b'{"weak":' + body + b"}"
    return clean_run_exports(load_object(body, "info/run_exports.json"))


def _text(about: Mapping[str, Any], key: str, most: int) -> str:
    value = about.get(key)
    return value.strip()[:most] if isinstance(value, str) else ""
