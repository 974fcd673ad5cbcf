"""JSON from strangers, read so that every client of ours can read what we make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from entrepot.plugin import InvalidPackage

_max_depth = 32
_max_number = float(2**63)


def load_object(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object in the body. Raises InvalidPackage, which names the document as `what`.

    orjson refuses NaN, infinity, what is not UTF-8, and lone surrogates; this adds U+0000, numbers beyond 64 bits, depth, and a key that stands
    twice in an object, which some readers refuse and of which others take the first or the last value.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidPackage(f"{what} is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidPackage(f"{what} must be a JSON object.")
    for depth, value in _walk(document):
        if depth > _max_depth:
            raise InvalidPackage(f"{what} is nested more than {_max_depth} levels deep.")
        if isinstance(value, str) and "\0" in value:
            raise InvalidPackage(f"{what} holds the character U+0000.")
        # orjson turns an integer beyond 64 bits into a float
        if isinstance(value, int | float) and abs(value) >= _max_number:
            raise InvalidPackage(f"{what} holds a number beyond 64 bits.")
    _refuse_twice(body, what)
    return document


def _refuse_twice(body: bytes, what: str) -> None:
    """orjson does not tell of it."""

    def check(pairs: Sequence[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidPackage(f"{what} says {key[:80]!r} twice.")
            seen.add(key)

    json.loads(body, object_pairs_hook=check)


def _walk(document: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Every key and value, with how deep it stands."""
    waiting: list[tuple[int, Any]] = [(1, document)]
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        if isinstance(value, dict):
            waiting.extend((depth + 1, inner) for pair in value.items() for inner in pair)
        elif isinstance(value, list):
            waiting.extend((depth + 1, inner) for inner in value)
