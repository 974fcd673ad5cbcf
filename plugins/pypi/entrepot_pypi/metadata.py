"""Core metadata: METADATA of wheels, PKG-INFO of sdists. packaging validates, pkginfo describes.

Strict everywhere in what identifies a package and in what can be read two ways; what else is invalid is an objection, so that old files can be
imported. Lenient in what only describes, and where tools are known to have written for years what the standard does not say: 2.0 for a version,
License-File and License-Expression before 2.4, UNKNOWN for nothing, folded lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, cast

import pkginfo
from entrepot.plugin import InvalidPackage, Objection, Patience, Strictness, ValidationError
from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, parse_email
from pkginfo.distribution import MAX_METADATA_VERSION_STR

from entrepot_pypi.name import is_name
from entrepot_pypi.registryrules import metadata_objections, newest
from entrepot_pypi.version import parsed

largest = 5 << 20

_most_lines = 100_000
_most_headers = 5_000
_most_fields = 100
_largest_head = 1 << 20
"""Ten times what the most talkative of well-known packages have. The email package takes half a second for as much."""
_longest_value = 8 << 10
_longest_values = 192 << 10
_decisive = frozenset(
    (
        *("metadata-version", "name", "version", "summary", "requires-python", "requires-dist", "provides-extra", "dynamic"),
        *("description-content-type", "license-expression", "license-file", "import-name", "import-namespace"),
    )
)
_texts = ("description", "license")
_told = {
    **{name: name for name in ("author", "author_email", "maintainer", "maintainer_email", "home_page", "download_url", "license")},
    **{name: name for name in ("requires_python", "requires_dist", "classifiers", "dynamic", "description_content_type")},
    "provides_extras": "provides_extra",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a package says of itself."""

    name: str
    version: str
    summary: str
    description: str
    license: str
    license_files: Sequence[str]
    """The paths that License-File names, from 2.4 on: before, nobody had said what they are relative to."""
    is_static: bool
    """Whether what is built from an sdist will have this very metadata: 2.2 and newer, and nothing dynamic."""
    attributes: Mapping[str, Any]
    objections: Sequence[Objection]


def describe(body: bytes, source: str, patience: Patience | None = None) -> Description:
    """Validate metadata and read it; `source` names the file for people. Raises InvalidPackage, also when patience ends."""
    _check_bounds(body, source)
    try:
        return _describe(body, source, patience)
    except InvalidPackage:
        raise
    except Exception as error:  # whatever hostile headers provoke in the email package, recursion included
        raise InvalidPackage(f"{source} cannot be read ({error}).") from error


def _check_bounds(body: bytes, source: str) -> None:
    """The email package takes quadratic time in the number of headers, and follows what it takes for attachments."""
    if len(body) > largest:
        raise InvalidPackage(f"{source} is larger than {largest} bytes.")
    if b"\0" in body:
        raise InvalidPackage(f"{source} holds a NUL byte.")
    if body.count(b"\n") + body.count(b"\r") > 2 * _most_lines:
        raise InvalidPackage(f"{source} has more than {_most_lines} lines.")
    head = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").partition(b"\n\n")[0]
    if len(head) > _largest_head:
        raise InvalidPackage(f"{source} has headers of more than {_largest_head} bytes.")
    lines = [line for line in head.split(b"\n") if line[:1] not in (b" ", b"\t")]
    fields = {line.partition(b":")[0] for line in lines}
    if len(lines) > _most_headers or len(fields) > _most_fields:
        raise InvalidPackage(f"{source} has {len(lines)} headers of {len(fields)} kinds; {_most_headers} of {_most_fields} are allowed.")
    if b"content-type" in {field.strip().lower() for field in fields}:
        raise InvalidPackage(f"{source} has a Content-Type header; the description's type is said by Description-Content-Type.")


def _describe(body: bytes, source: str, patience: Patience | None) -> Description:
    raw, unparsed = parse_email(body)
    _check(patience)
    wrong = sorted(unparsed.keys() & _decisive)
    if wrong:
        raise InvalidPackage(f"{source} says {', '.join(wrong)} more than once, or in bytes that are not UTF-8.")
    raw = _cleaned(raw)
    _check_lengths(raw, source)
    metadata_version = _metadata_version(raw.get("metadata_version", ""), source)
    name, version = _identity(raw, source)
    told = _attributes(body) | {key: value for key in ("keywords", "project_urls", "license_expression") if (value := raw.get(key))}
    _check(patience)
    license_files, invalid, objections = _validated(raw, metadata_version, source)
    _leave_out(told, invalid)
    return Description(
        name=name,
        version=version,
        summary=raw.get("summary", ""),
        description=told.pop("description", ""),
        license=told.get("license_expression") or told.get("license", ""),
        license_files=license_files,
        is_static=metadata_version >= (2, 2) and not raw.get("dynamic"),
        attributes={"metadata_version": raw.get("metadata_version"), **told},
        objections=(*objections, *metadata_objections(raw, unparsed.keys(), metadata_version)),
    )


def _check(patience: Patience | None) -> None:
    if patience is not None:
        patience.check()


def _check_lengths(raw: RawMetadata, source: str) -> None:
    """What packaging parses takes it seconds for a megabyte; a License-Expression, besides, 200 bytes for each of its own."""
    total = 0
    for key, value in raw.items():
        if key.replace("_", "-").removesuffix("s") in _decisive:
            lengths = [len(value)] if isinstance(value, str) else list(map(len, cast("list[str]", value)))
            total += sum(lengths)
            if max(lengths, default=0) > _longest_value or total > _longest_values:
                raise InvalidPackage(
                    f"{source} says too much in {key.replace('_', '-')}: {_longest_value} characters are allowed in a header that installers "
                    f"read, {_longest_values} in all of them together."
                )


def _validated(raw: RawMetadata, metadata_version: tuple[int, int], source: str) -> tuple[Sequence[str], Set[str], Sequence[Objection]]:
    """The license files, the fields that are invalid, and what is to be said of it. By the newest rules: which fields an older version knows is for
    its tools to heed."""
    objections = []
    if "license_expression" in raw and "license" in raw and metadata_version >= (2, 4):
        objections.append(_private(f"{source} has both License and License-Expression: remove License, which the expression replaces (PEP 639)."))
    if len(raw.get("description_content_type", "")) > 200:
        raise InvalidPackage(f"{source} has a Description-Content-Type of more than 200 characters.")
    checked = raw.copy()
    checked["metadata_version"] = ".".join(map(str, newest))
    if metadata_version < (2, 4):
        checked.pop("license_files", None)
    try:
        return tuple(Metadata.from_raw(checked).license_files or ()), frozenset(), objections
    except ExceptionGroup as group:
        errors = [error for error in group.exceptions if isinstance(error, InvalidMetadata)]
    sentences = "; ".join(str(error)[:300] for error in errors[:3])
    return (), {error.field for error in errors}, [*objections, _private(f"{source} is not valid: {sentences}.")]


def _leave_out(told: dict[str, Any], invalid: Set[str]) -> None:
    """What indexes say to machines is valid; the metadata itself says it all the same. A License-Expression that is none is a text about licences."""
    if "requires-python" in invalid:
        told.pop("requires_python", None)
    if "license-expression" in invalid:
        told.setdefault("license", told.pop("license_expression"))


def _private(message: str) -> Objection:
    return Objection(Strictness.PRIVATE, message)


def _cleaned(raw: RawMetadata) -> RawMetadata:
    """Without folds, without what says UNKNOWN or nothing at all."""
    cleaned: dict[str, Any] = {}
    for key, value in raw.items():
        if isinstance(value, str) and key not in _texts:
            value = _line(value)
        elif isinstance(value, list):
            value = [line for item in value if (line := _line(item))]
        if value and value != "UNKNOWN":
            cleaned[key] = value
    return cast("RawMetadata", cleaned)


def _line(value: str) -> str:
    line = " ".join(value.split())
    return "" if line == "UNKNOWN" else line


def _metadata_version(value: str, source: str) -> tuple[int, int]:
    """PEP 566: a newer minor version can be read as far as it is known, a newer major one cannot."""
    match = re.fullmatch(r"([12])\.([0-9]{1,3})", value)
    if match is None or (match[1] == "1" and int(match[2]) > 2):
        raise InvalidPackage(f"{source} has Metadata-Version {value[:80]!r}: 1.0 to {newest[0]}.{newest[1]} are known.")
    return int(match[1]), int(match[2])


def _identity(raw: RawMetadata, source: str) -> tuple[str, str]:
    name, version = raw.get("name", ""), raw.get("version", "")
    if not is_name(name):
        raise InvalidPackage(f"{source} has no valid Name: {name[:80]!r}.")
    try:
        parsed(version)
    except ValidationError as error:
        raise InvalidPackage(f"{source} has no valid Version: {error}") from error
    return name, version


def _attributes(body: bytes) -> dict[str, Any]:
    """What the package says of itself, the empty and the unknown left out."""
    distribution = pkginfo.Distribution()
    distribution.metadata_version = MAX_METADATA_VERSION_STR  # else pkginfo leaves out what an older version should not have, and warns of newer ones
    distribution.parse(body)
    told: dict[str, Any] = {"description": distribution.description or ""}
    for attribute, key in _told.items():
        value = getattr(distribution, attribute)
        value = value.strip() if isinstance(value, str) else [line for item in value or () if (line := _line(item))]
        if value and value != "UNKNOWN":
            told[key] = value
    return told
