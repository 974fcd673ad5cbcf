"""A notebook's JSON, read strictly and within bounds, and checked against the schema of its own format."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, BinaryIO

from entrepot.plugin import InvalidPackage

largest = 25 << 20

_most_objects = 100_000
_most_items = 2_000_000
_newest_minor = 5
_highest_minor = 1000
_cell_in_error = re.compile(r"\bcells\[(\d+)\]")


def read_notebook(file: BinaryIO) -> dict[str, Any]:
    """The notebook, valid. Raises InvalidPackage with a sentence."""
    size = file.seek(0, os.SEEK_END)
    if size > largest:
        raise InvalidPackage(
            f"The notebook has {size >> 20} MiB; {largest >> 20} MiB is the most. Clear the outputs that make it so large, and save it again."
        )
    file.seek(0)
    notebook = _parsed(_decoded(file.read()))
    _validate(notebook, *_format(notebook))
    return notebook


def cells_of(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells, of whatever format."""
    if notebook["nbformat"] >= 4:
        return list(notebook["cells"])
    return [cell for worksheet in notebook["worksheets"] for cell in worksheet.get("cells", ())]


def _decoded(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidPackage("The notebook is UTF-16; notebooks are UTF-8. Open it in Jupyter or an editor and save it as UTF-8.")
    if body.startswith(b"\xef\xbb\xbf"):
        raise InvalidPackage("The notebook begins with a byte order mark, which Jupyter cannot read. Save it as UTF-8 without one.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidPackage(f"The notebook is not UTF-8: there is a byte 0x{body[error.start]:02x} at position {error.start}.") from error


def _parsed(text: str) -> dict[str, Any]:
    """Strict JSON: no NaN, no key twice. Bounded in what it becomes in memory, which may be fifty times the text."""
    if text.count(",") + text.count("[") > _most_items:  # lists nest without a comma
        raise InvalidPackage(f"The notebook holds more than {_most_items} values. Clear the outputs that hold so much data, and save it again.")
    seen = 0

    def made(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal seen
        seen += 1
        if seen > _most_objects:
            raise InvalidPackage(f"The notebook holds more than {_most_objects} JSON objects. Clear the outputs that hold so much data.")
        held = dict(pairs)
        if len(held) != len(pairs):
            [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
            raise InvalidPackage(f"The notebook says {key[:80]!r} twice in one JSON object.")
        return held

    try:
        notebook = json.loads(text, object_pairs_hook=made, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        hint = " It is HTML: download the notebook itself, not the page that shows it." if text.lstrip().startswith("<") else ""
        raise InvalidPackage(f"The notebook is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}.{hint}") from error
    except RecursionError as error:
        raise InvalidPackage("The notebook's JSON is nested too deep.") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise InvalidPackage("The notebook holds a number of thousands of digits.") from error
    if not isinstance(notebook, dict):
        raise InvalidPackage("A notebook is a JSON object; this is another JSON value.")
    return notebook


def _refuse_constant(name: str) -> None:
    raise InvalidPackage(f"The notebook holds {name}, which is not JSON: strict readers refuse it. Clear the output that has it, and save it again.")


def _format(notebook: dict[str, Any]) -> tuple[int, int]:
    """The format's numbers. Raises for those that nobody reads (any more, or yet)."""
    major, minor = notebook.get("nbformat"), notebook.get("nbformat_minor", 0)
    if type(major) is not int or type(minor) is not int or not 0 <= minor <= _highest_minor:
        raise InvalidPackage("The notebook does not say its format: `nbformat` and `nbformat_minor` must be small whole numbers.")
    if major not in (3, 4):
        what = "is older than Jupyter: open it in Jupyter" if major < 3 else "is not known here: open it in a program that knows it"
        raise InvalidPackage(f"The notebook's format, nbformat {str(major)[:20]}, {what} and save it as nbformat 4.")
    return major, minor


def _validate(notebook: dict[str, Any], major: int, minor: int) -> None:
    """By the schema of its format, unknown keys allowed: editors add their own. Cell ids of 4.5 are not asked for, as Jupyter does not."""
    from nbformat.validator import ValidationError, get_validator  # 13 MB and a tenth of a second, for those who upload notebooks

    known = (3, 0) if major == 3 else (4, min(minor, 4) if minor <= _newest_minor else _newest_minor + 1)  # validators are kept: no more than these
    try:
        get_validator(*known, relax_add_props=True, name="fastjsonschema").validate(notebook)  # type: ignore[no-untyped-call]
    except ValidationError as error:
        raise InvalidPackage(f"The notebook is not valid nbformat {major}.{minor}: {_explained(str(error), notebook)}") from error
    except RecursionError as error:
        raise InvalidPackage("The notebook's JSON is nested too deep.") from error


def _explained(message: str, notebook: dict[str, Any]) -> str:
    """What the validator found, for people: it says that a cell is none of the known kinds, and not why."""
    found = _cell_in_error.search(message)
    if not found:
        return f"{message.removeprefix('data.')[:300].rstrip('.')}."
    cells = notebook.get("cells")
    cell = cells[int(found[1])] if isinstance(cells, list) and int(found[1]) < len(cells) else None
    kind = cell.get("cell_type") if isinstance(cell, dict) else None
    said = f"says that it is a {kind[:40]} cell and is none" if isinstance(kind, str) else "says no cell_type"
    return f"cell {int(found[1]) + 1} {said}. Open the notebook in Jupyter and save it again."
