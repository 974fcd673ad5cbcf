"""Conditional and partial requests (RFC 9110 §13 and §14): pure functions of header texts."""

from __future__ import annotations

import re

SINGLE_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
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
    first, last = match.groups()
    if len(first) > MOST_DIGITS or len(last) > MOST_DIGITS:
        if len(first) > MOST_DIGITS:
            raise Unsatisfiable
        last = "9" * MOST_DIGITS
    if not first:
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - int(last)), size
    start, stop = int(first), int(last) + 1 if last else size
    if stop <= start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, min(stop, size)


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
