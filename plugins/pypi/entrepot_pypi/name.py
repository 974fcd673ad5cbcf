"""Project names: the core metadata specification and PEP 503."""

from __future__ import annotations

import re

from entrepot.plugin import ValidationError

_separators = re.compile(r"[-_.]+")
_name = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)


def normalized(name: str) -> str:
    """A name as index URLs spell it, without asking whether it is one."""
    return _separators.sub("-", name).lower()


def is_name(name: str) -> bool:
    """Whether this may be the name of a project."""
    return len(name) <= 200 and _name.match(name) is not None


def canonical(name: str) -> str:
    """The normalized name. Raises ValidationError for what is no name."""
    if not is_name(name):
        raise ValidationError(
            f"{name[:80]!r} is not a valid project name: use up to 200 ASCII letters, digits, `.`, `-` and `_`, with a letter or digit at both ends."
        )
    return normalized(name)
