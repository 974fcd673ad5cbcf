"""The order of conda versions (CEP 33), as bytes that a database can compare.

A version is a list of components, a component a list of numbers and words: `1!2.0rc1+4` is [1] [2] [0, "rc", 1] and, locally, [4]. Both lists go on
with zeros for ever, so that 1, 1.0 and 1.0.0 are equal. Words sort before numbers (1.0rc1 before 1.0), `dev` before other words, `post` after
every number.

In the key, the end of a list stands for its endless zeros, and so lies between what is less than zero and what is more. A zero that something
follows is written as whether that something is less or more than zero: it is the first difference to a list that ends here.
"""

from __future__ import annotations

import re
from math import inf

from entrepot.plugin import ValidationError

Element = int | float | str
"""A number, `inf` for "post", or a word."""

_segments = r"[0-9a-z]+(?:[._][0-9a-z]+)*"
_version = re.compile(rf"(?:(?P<epoch>[0-9]+)!)?(?P<public>{_segments}_{{0,2}})(?:\+(?P<local>{_segments}))?", re.ASCII)
_elements = re.compile(r"[0-9]+|[^0-9]+")
_max_length = 64
_max_number = 2**64 - 1  # what rattler reads; a larger number would break the whole index for it

# A word is its letters and _word_end; "DEV" sorts before them by its capitals. All other codes are above letters.
_word_end = b"\x00"
_zero_then_less = b"\x7b"
_empty_then_less = b"\x7c"
_end = b"\x7d"
_empty_then_more = b"\x7e"
_zero_then_more = b"\x7f"
_number = 0x80  # plus the count of bytes that follow
_post = b"\xff"


def check_version(version: str) -> str:
    """The version itself. Raises ValidationError for what is no conda version, or none that every client reads."""
    parse(version)
    return version


def version_key(version: str) -> bytes:
    """Bytes that sort as the versions do; equal for versions that conda holds equal. Raises ValidationError."""
    public, local = parse(version)
    return _encode(public) + _encode(local)


def parse(version: str) -> tuple[list[list[Element]], list[list[Element]]]:
    """The components of the version with its epoch in front, and those of its local part. Raises ValidationError."""
    match = _version.fullmatch(version) if len(version) <= _max_length else None
    if match is None:
        raise ValidationError(
            f"{version[:80]!r} is no conda version: use up to {_max_length} lower-case letters and digits in parts that '.' or '_' separate, "
            "with an epoch and '!' in front or '+' and a local part behind at will (CEP 33)."
        )
    if any(int(digits) > _max_number for digits in re.findall(r"[0-9]+", version)):
        raise ValidationError(f"{version!r} holds a number beyond 64 bits, which conda's clients cannot read.")
    return [[int(match["epoch"] or 0)], *_components(match["public"])], _components(match["local"]) if match["local"] else []


def _components(text: str) -> list[list[Element]]:
    trailing = "_" if text.endswith("_") else ""  # 1.0.1_ precedes 1.0.1: the last underscore is a word, not a separator
    parts = text.removesuffix("_").replace("_", ".").split(".")
    parts[-1] += trailing
    return [_component(part) for part in parts]


def _component(part: str) -> list[Element]:
    elements = [_element(text) for text in _elements.findall(part)]
    return elements if part[0].isdigit() else [0, *elements]


def _element(text: str) -> Element:
    if text.isdigit():
        return int(text)
    if text == "post":
        return inf
    return "DEV" if text == "dev" else text


def _encode(components: list[list[Element]]) -> bytes:
    pieces = []
    follower = 0  # the first difference from zero in the components behind this one: -1, 0 or 1
    for component in reversed([_strip(component) for component in components]):
        if component:
            pieces.append(_encode_component(component))
            follower = _sign(component)
        elif follower:
            pieces.append(_empty_then_less if follower < 0 else _empty_then_more)
    return b"".join(reversed(pieces)) + _end


def _encode_component(elements: list[Element]) -> bytes:
    pieces = []
    for position, element in enumerate(elements):
        if isinstance(element, str):
            pieces.append(element.encode() + _word_end)
        elif element == inf:
            pieces.append(_post)
        elif element == 0:
            pieces.append(_zero_then_less if _sign(elements[position:]) < 0 else _zero_then_more)
        else:
            digits = int(element).to_bytes((int(element).bit_length() + 7) // 8, "big")
            pieces.append(bytes([_number + len(digits)]) + digits)
    return b"".join(pieces) + _end


def _strip(elements: list[Element]) -> list[Element]:
    while elements and elements[-1] == 0:
        elements = elements[:-1]
    return elements


def _sign(elements: list[Element]) -> int:
    first = next((element for element in elements if element != 0), 0)
    return -1 if isinstance(first, str) else int(first > 0)
