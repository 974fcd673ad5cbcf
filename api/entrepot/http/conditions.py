"""Conditional and partial requests (RFC 9110 §13 and §14): pure functions of header texts."""

from __future__ import annotations

import re

SINGLE_RANGE = re.compile(r"bytes\s*+=\s*+(\d*+)\s*+-\s*+(\d*+)\s*+", re.IGNORECASE | re.ASCII)
"""Possessive: what has matched is never given back, else a header of spaces takes a time that grows with the square of its length."""
MOST_DIGITS = 18


def none_match(header: str, etag: str) -> bool:
    """Whether If-None-Match holds the (quoted) ETag, by weak comparison: then the answer is 304."""
    if header == etag:
        return True
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in header.split(","))


class Unsatisfiable(Exception):
    """The range lies behind the end: 416."""


def asked_range(header: str, if_range: str, etag: str, size: int) -> tuple[int, int] | None:
    """The (start, stop) that a Range asks for, or None for the whole. Raises Unsatisfiable.

    One range is served; several, or what is no byte range, get the whole, as RFC 9110 allows. If-Range must be the strong ETag; a date never matches,
    since nothing here has a Last-Modified.
    """
    match = SINGLE_RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()) or (if_range and if_range != etag):
        return None
    first, last = (_number(group) if group else None for group in match.groups())
    if first is None:
        assert last is not None
        if last == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - last), size
    if last is not None and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, size if last is None else min(last + 1, size)


def _number(digits: str) -> int:
    """A position; beyond any file where it has very many digits."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= MOST_DIGITS else 10**MOST_DIGITS


def accepted_encoding(header: str) -> str:
    """The Content-Encoding to send: zstd before gzip, by what Accept-Encoding allows; empty for none."""
    if not header:
        return ""
    allowed = set()
    for one in header.lower().split(","):
        name, _, parameters = one.partition(";")
        quality = parameters.replace(" ", "")
        if not re.fullmatch(r"q=0(\.0*)?", quality):
            allowed.add(name.strip())
    return "zstd" if "zstd" in allowed else "gzip" if "gzip" in allowed else ""
