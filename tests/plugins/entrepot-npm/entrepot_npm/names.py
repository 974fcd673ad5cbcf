"""Names, versions and dist-tags, as npm spells them."""

from __future__ import annotations

import re

from entrepot.plugin import ValidationError

_name = re.compile(r"[a-z0-9][a-z0-9._~-]{0,213}")
_version = re.compile(
    r"(?P<major>0|[1-9][0-9]{0,15})\.(?P<minor>0|[1-9][0-9]{0,15})\.(?P<patch>0|[1-9][0-9]{0,15})"
    r"(?:-(?P<pre>(?:0|[1-9][0-9]{0,15}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]{0,15}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_tag = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}")
_range = re.compile(r"[vV]?[0-9xX*]+(\..*)?")
_reserved = frozenset({"label", "node_modules", "favicon.ico"})


def canonical_name(name: str) -> str:
    """A package's name. Raises ValidationError for what npm does not allow, or this server cannot serve."""
    if name.startswith("@"):
        raise ValidationError(f"{name!r} has a scope; this server takes npm packages without one. Publish it under a plain name.")
    if not _name.fullmatch(name):
        raise ValidationError(
            f"{name[:80]!r} is no npm package name: up to 214 of a-z, 0-9, '.', '_', '~' and '-', beginning with a letter or digit."
        )
    if name in _reserved:  # `label` is a word in every channel's URLs
        raise ValidationError(f"No npm package may be named {name!r}.")
    return name


def _parsed(version: str) -> re.Match[str]:
    found = _version.fullmatch(version) if len(version) <= 255 else None
    if found is None:
        raise ValidationError(f"{version[:80]!r} is no version: npm's look like 1.2.3 or 1.2.3-beta.1 (semver.org).")
    return found


def canonical_version(version: str) -> str:
    """A version without its build metadata, which does not tell two versions apart."""
    return _parsed(version)[0].partition("+")[0]


def version_key(version: str) -> bytes:
    """Bytes that sort as semver says: numbers by value, a prerelease before its release, fewer identifiers first."""
    found = _parsed(version)
    release = b"".join(_number(found[part]) for part in ("major", "minor", "patch"))
    if not found["pre"]:
        return release + b"\xff"
    identifiers = (b"\x01" + _number(part) if part.isdigit() else b"\x02" + part.encode() + b"\x00" for part in found["pre"].split("."))
    return release + b"".join(identifiers) + b"\x00"


def _number(digits: str) -> bytes:
    return bytes([len(digits)]) + digits.encode()


def tag_name(tag: str) -> str:
    """A dist-tag's name. Raises ValidationError, also for what an installer would take for a version range."""
    if not _tag.fullmatch(tag) or _range.fullmatch(tag):
        raise ValidationError(f"{tag[:80]!r} cannot be a dist-tag: use a word like `latest` or `next` that cannot be read as a version.")
    return tag
