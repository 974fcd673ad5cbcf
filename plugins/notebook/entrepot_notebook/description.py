"""What a notebook says of itself. All of it is the author's text: whoever shows it escapes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entrepot_notebook.document import cells_of

_longest_line = 300
_longest_text = 64 << 10
_most = 50
_v3_types = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml", "html": "text/html", "text": "text/plain", "latex": "text/latex"}
_v3_types |= {"json": "application/json", "javascript": "application/javascript", "pdf": "application/pdf"}
_widget = "application/vnd.jupyter.widget-view+json"
_heading = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
_underline = re.compile(r" {0,3}(=+|-+)[ \t]*")
_html_heading = re.compile(r"\s*(?:<center>\s*)?<h[1-6]\b", re.IGNORECASE)
_fence = re.compile(r" {0,3}(```|~~~)")
_markup = (
    (re.compile(r"<[^<>]{0,300}>"), ""),
    (re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,1000}\)"), r"\1"),
    (re.compile(r"[ \t]#+[ \t]*\Z"), ""),
    (re.compile(r"\*{1,3}|`+|~~|(?<!\w)_{1,3}|_{1,3}(?!\w)"), ""),
)
_embedded = re.compile(r"data:[^\s\"'()<>]{200,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is remembered of a notebook."""

    version: object
    """What its metadata have as a version, whatever that is."""
    summary: str
    description: str
    attributes: Mapping[str, Any]


def describe(notebook: dict[str, Any], stem: str) -> Description:
    """Read a valid notebook; `stem` is its basename without the ending, for want of a better title."""
    metadata = _object(notebook.get("metadata"))
    cells = cells_of(notebook)
    texts = [_text(cell.get("source")) for cell in cells if cell.get("cell_type") == "markdown"]
    title = _line(metadata.get("title")) or _line(metadata.get("name")) or _first_heading(cells)
    return Description(
        version=metadata.get("version"),
        summary=_line(metadata.get("summary")) or title,
        description=_body(metadata.get("description")) or _body(texts[0] if texts else ""),
        attributes={
            "nbformat": notebook["nbformat"],
            "nbformat_minor": notebook.get("nbformat_minor", 0),
            "title": title or stem,
            "authors": _authors(metadata.get("authors")),
            "kernel": _kernel(metadata),
            "language": _language(metadata, cells),
            "cells": dict(Counter(_line(cell.get("cell_type"))[:40] for cell in cells).most_common(_most)),
            **_run(metadata, cells),
        },
    )


def images_of(notebook: dict[str, Any]) -> Iterator[str]:
    """The images among the outputs that any browser shows, in base64, in order: PNG and JPEG, never SVG, which is a program."""
    for cell in cells_of(notebook):
        for output in _outputs_of(cell):
            data = _data(output)
            for media_type in ("image/png", "image/jpeg"):
                if image := _text(data.get(media_type), most=None):
                    yield image


def _first_heading(cells: Sequence[Mapping[str, Any]]) -> str:
    for cell in cells:
        source = _text(cell.get("source"))
        if cell.get("cell_type") == "heading" and (line := _plain(source)):  # nbformat 3
            return line
        if cell.get("cell_type") == "markdown" and (line := _heading_in(source)):
            return line
    return ""


def _heading_in(source: str) -> str:
    """The first heading of a Markdown text, without its markup: `# Title`, or a line that is underlined, or <h1>."""
    fenced, before = False, ""
    for line in source.splitlines():
        if _fence.match(line):
            fenced, before = not fenced, ""
        elif not fenced:
            if title := _plain(_heading_of(line, before)):
                return title
            before = line
    return ""


def _heading_of(line: str, before: str) -> str:
    """The text of the heading that the line is, or that it makes of the line before."""
    if found := _heading.fullmatch(line):
        return found[1]
    if _underline.fullmatch(line):
        return before
    return line if _html_heading.match(line) else ""


def _plain(text: str) -> str:
    """One line of Markdown as people read it."""
    line = text.strip()[: 4 * _longest_line]
    for pattern, replacement in _markup:
        line = pattern.sub(replacement, line)
    return _line(line)


def _kernel(metadata: Mapping[str, Any]) -> dict[str, str]:
    kernelspec = _object(metadata.get("kernelspec"))
    return {key: text for key in ("name", "display_name") if (text := _line(kernelspec.get(key)))}


def _language(metadata: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The kernel's own word, else the kernelspec's, else, in nbformat 3, a cell's."""
    info, kernelspec = _object(metadata.get("language_info")), _object(metadata.get("kernelspec"))
    in_cell = next((cell["language"] for cell in cells if cell.get("cell_type") == "code" and isinstance(cell.get("language"), str)), "")
    language = {key: text for key in ("name", "version", "file_extension") if (text := _line(info.get(key)))}
    name = language.get("name") or _line(kernelspec.get("language")) or _line(in_cell)
    return {**language, "name": name} if name else language


def _outputs_of(cell: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The outputs of a cell of code; other cells may have anything under that name."""
    outputs = cell.get("outputs") if cell.get("cell_type") == "code" else None
    return [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []


def _run(metadata: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    media_types: dict[str, None] = {}
    errors = executed = False
    for cell in cells:
        executed = executed or any(isinstance(cell.get(key), int) for key in ("execution_count", "prompt_number"))
        for output in _outputs_of(cell):
            errors = errors or output.get("output_type") in ("error", "pyerr")
            media_types |= dict.fromkeys(_data(output))
    return {
        "executed": executed,
        "errors": errors,
        "widgets": "widgets" in metadata or _widget in media_types,
        "output_types": sorted(_line(media_type)[:100] for media_type in list(media_types)[:_most]),
    }


def _data(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an output holds, by media type; nbformat 3 has names of its own for them, beside the output's other keys."""
    data = output.get("data")
    if isinstance(data, dict):
        return data
    return {media_type: output[key] for key, media_type in _v3_types.items() if key in output and output.get("output_type") != "stream"}


def _authors(given: object) -> list[str]:
    authors = given if isinstance(given, list) else []
    names = [_line(author.get("name") if isinstance(author, dict) else author) for author in authors[:_most]]
    return [name for name in names if name]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object, most: int | None = _longest_text) -> str:
    """Text, which notebooks keep whole or in lines."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return value[:most] if isinstance(value, str) else ""


def _body(value: object) -> str:
    """A text of several lines, without embedded images."""
    return _printable(_embedded.sub("data:", _text(value, 4 * _longest_text))[:_longest_text], keep="\n\t").strip()


def _line(value: object) -> str:
    """A text of one line."""
    return " ".join(_printable(value[: 4 * _longest_line]).split())[:_longest_line].strip() if isinstance(value, str) else ""


def _printable(text: str, keep: str = "") -> str:
    """With spaces for control characters, and for halves of pairs, which other JSON readers do not take."""
    return "".join(character if character.isprintable() or character in keep else " " for character in text)
