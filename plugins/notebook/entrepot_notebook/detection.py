"""Which files are notebooks: JSON objects that say `nbformat`. Bounded, and never raises."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

_look = 64 << 10
_token = re.compile(rb'"(?:[^"\\]|\\.)*"?|[{}\[\]]', re.DOTALL)
"""A string that does not end reaches to the end, so that no part of it is looked at twice."""
_number = re.compile(rb"\s*:\s*\d")
_at_the_end = re.compile(rb'[,{]\s*"nbformat"\s*:\s*\d{1,3}\s*(,\s*"nbformat_minor"\s*:\s*\d{1,5}\s*)?\}\s*\Z')
_byte_order_marks = (b"\xff\xfe", b"\xfe\xff")


def is_notebook(file: BinaryIO, basename: str) -> bool:
    """Whether the file says that it is a notebook, or is text that is named as one: then its inspection has the words for what is wrong with it.

    Jupyter sorts keys, so `nbformat` is the last but one thing in the file; other programs put it first.
    """
    head = file.read(_look)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if basename.lower().endswith(".ipynb") and (text[:1] in (b"{", b"[", b"<") or head.startswith(_byte_order_marks)):
        return True
    return text.startswith(b"{") and (_says_nbformat(text) or _ends_with_nbformat(file))


def _ends_with_nbformat(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1024))
    return _at_the_end.search(file.read(1024)) is not None


def _says_nbformat(text: bytes) -> bool:
    """Whether `nbformat` is a key of the outermost object, as far as it can be seen."""
    depth = 0
    for match in _token.finditer(text):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and token == b'"nbformat"' and _number.match(text, match.end()):
            return True
        if depth == 0:
            return False
    return False
