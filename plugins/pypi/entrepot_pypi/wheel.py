"""Wheels: PEP 427 and the binary distribution format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.parser import HeaderParser
from functools import lru_cache
from typing import Any, BinaryIO

from entrepot.plugin import InvalidPackage, Objection, StoredFile, Strictness
from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from entrepot_pypi import allowance, metadata
from entrepot_pypi.entrypoints import check_scripts
from entrepot_pypi.layout import find_dist_info
from entrepot_pypi.name import normalized
from entrepot_pypi.record import check_record
from entrepot_pypi.registryrules import wheel_objections
from entrepot_pypi.version import is_same, parsed
from entrepot_pypi.ziparchive import ZipArchive

_ending = ".whl"
_filename = re.compile(r"[A-Za-z0-9_.+!-]+\.whl")
_small_file = 1 << 20
_most_tags = 10_000
_most_lines = 5_000
"""Of WHEEL, of whose lines the library that reads it makes objects. A hundred times what is common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """What a wheel's filename says."""

    name: str
    version: Version
    tags: Mapping[str, str]
    """`python_tag`, `abi_tag`, `platform_tag`, and `build` where there is one."""
    all_tags: frozenset[Tag]


def inspect_wheel(file: BinaryIO, basename: str) -> tuple[bytes, metadata.Description, dict[str, Any]]:
    """A wheel's METADATA, what it says, and attributes. Raises InvalidPackage."""
    wheel = parse_filename(basename)
    patience = allowance.patience(file)
    archive = ZipArchive(file, patience)
    dist_info = find_dist_info(archive.members.keys(), wheel.name, wheel.version)
    tags = _read_wheel_file(archive, dist_info)
    body = _required(archive, f"{dist_info}/METADATA", metadata.largest)
    description = metadata.describe(body, "METADATA", patience)
    _check_identity(description, wheel, basename)
    _check_entry_points(archive, dist_info)
    check_record(archive, dist_info)
    objections = (
        *_license_file_objections(archive, dist_info, description),
        *wheel_objections(basename, description.name, description.version, wheel.tags["platform_tag"]),
        *_tag_objections(tags, wheel),
    )
    description = replace(description, objections=(*description.objections, *objections))
    return body, description, {"packagetype": "bdist_wheel", **wheel.tags}


def parse_filename(basename: str) -> Wheel:
    """What the filename says. Raises InvalidPackage."""
    shape = "name-version-python-abi-platform.whl, for example foo_bar-1.0-py3-none-any.whl"
    if _filename.fullmatch(basename) is None:
        raise InvalidPackage(f"{basename[:200]!r} is not the filename of a wheel: it is {shape}.")
    try:
        name, version, _, all_tags = parse_wheel_filename(basename)
    except InvalidWheelFilename as error:
        raise InvalidPackage(f"{error}. A wheel is named {shape}.") from error
    _, spelled_version, *build, python, abi, platform = basename.removesuffix(_ending).split("-")
    parsed(spelled_version)
    tags = {"python_tag": python, "abi_tag": abi, "platform_tag": platform} | ({"build": build[0]} if build else {})
    return Wheel(name=name, version=version, tags=tags, all_tags=all_tags)


def sibling_objections(file: StoredFile, siblings: Sequence[str]) -> Iterator[Objection]:
    """A release has one wheel for a set of tags, unless build numbers tell them apart: of two, installers take whichever they come upon first."""
    if not file.path.endswith(_ending):
        return
    own = _build_and_tags(file.path)
    other = next((path for path in siblings if path.endswith(_ending) and _build_and_tags(path) == own), None)
    if other is not None:
        yield Objection(
            Strictness.PRIVATE,
            f"The release {file.version} of {file.name} has the wheel {other} already, with the same tags and build number. "
            f"Raise the version or the build number, or remove {other} before you publish {file.path}.",
        )


@lru_cache(maxsize=10_000)
def _build_and_tags(basename: str) -> object:
    """What tells the wheels of a release apart, however it is spelled. Not by `parse_filename`: a release may have thousands of wheels."""
    _, _, *build, python, abi, platform = basename.removesuffix(_ending).lower().split("-")
    return *(number.lstrip("0") for number in build), *(frozenset(part.split(".")) for part in (python, abi, platform))


def _required(archive: ZipArchive, path: str, limit: int) -> bytes:
    if path not in archive.members:
        raise InvalidPackage(f"The wheel holds no {path}. Build it again.")
    return archive.read(path, limit)


def _read_wheel_file(archive: ZipArchive, dist_info: str) -> Sequence[str]:
    """The tags in WHEEL. Installers refuse a major version that they do not know."""
    body = _required(archive, f"{dist_info}/WHEEL", _small_file)
    if body.count(b"\n") > _most_lines or body.count(b"\r") > _most_lines:
        raise InvalidPackage(f"The wheel's WHEEL has more than {_most_lines} lines.")
    try:
        headers = HeaderParser().parsestr(body.decode())
        version, tags = headers.get("Wheel-Version", "").strip(), headers.get_all("Tag", [])
    except Exception as error:  # whatever hostile headers provoke in the email package
        raise InvalidPackage(f"The wheel's WHEEL file cannot be read ({error}).") from error
    if not re.fullmatch(r"1\.[0-9]+", version):
        raise InvalidPackage(f"The wheel's WHEEL file says Wheel-Version {version[:40]!r}: installers know 1.0.")
    return tags


def _tag_objections(tags: Sequence[str], wheel: Wheel) -> Iterator[Objection]:
    """WHEEL and filename name the same tags; but installers go by the filename alone, and well-known projects rename their wheels."""
    inside = _read_tags(tags)
    if inside is None:
        yield Objection(Strictness.PRIVATE, "The wheel's WHEEL file has a Tag that cannot be read, or too many of them. Build the wheel again.")
    elif inside != wheel.all_tags:
        yield Objection(Strictness.PUBLIC, "The tags in the wheel's WHEEL file are not those of its filename: rename wheels with `wheel tags`.")


def _read_tags(tags: Sequence[str]) -> set[Tag] | None:
    """The tags that compressed ones stand for; None where one is none, or they are too many."""
    inside: set[Tag] = set()
    count = 0
    for tag in tags:
        count += math.prod(part.count(".") + 1 for part in tag.split("-"))
        if count > _most_tags or tag.count("-") != 2:
            return None
        try:
            inside |= parse_tag(tag.strip())
        except ValueError:
            return None
    return inside


def _check_identity(description: metadata.Description, wheel: Wheel, basename: str) -> None:
    if normalized(description.name) != wheel.name:
        raise InvalidPackage(f"METADATA says that this is {description.name!r}, the filename {basename!r} says {wheel.name!r}.")
    if not is_same(description.version, wheel.version):
        raise InvalidPackage(f"METADATA says that this is version {description.version!r}, the filename {basename!r} says {str(wheel.version)!r}.")


def _license_file_objections(archive: ZipArchive, dist_info: str, description: metadata.Description) -> Iterator[Objection]:
    """PEP 639."""
    for path in description.license_files:
        if f"{dist_info}/licenses/{path}" not in archive.members:
            yield Objection(Strictness.PRIVATE, f"METADATA names the license file {path!r}, and the wheel has no {dist_info}/licenses/{path}.")
            return


def _check_entry_points(archive: ZipArchive, dist_info: str) -> None:
    path = f"{dist_info}/entry_points.txt"
    if path in archive.members:
        check_scripts(archive.read(path, _small_file))
