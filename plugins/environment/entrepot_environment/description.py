"""What is remembered of an environment, without the credentials that people leave in URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from entrepot_environment.document import Environment

_user_info = re.compile(r"(\w://)[^/@\s]{1,2000}@")
_token = re.compile(r"/t/[^/:\s]{1,2000}(?=[/:\s]|$)")


def attributes(environment: Environment) -> Mapping[str, Any]:
    """What the list and GraphQL tell of the file. Whoever may download it sees the rest there."""
    return {
        "name": environment.name,
        "channels": [masked(channel) for channel in environment.channels],
        "dependencies": [masked(dependency) for dependency in environment.dependencies],
        "pip": [masked(requirement) for requirement in environment.pip],
        "platforms": list(environment.platforms),
        "variables": list(environment.variables),
    }


def masked(text: str) -> str:
    """A text with `***` for the user and password, or the token, of a URL in it."""
    return _token.sub("/t/***", _user_info.sub(r"\1***@", text)) if "/" in text else text
