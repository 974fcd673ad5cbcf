"""Builds notebooks of every format in memory."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
    "language_info": {"name": "python", "version": "3.12.1"},
}


def build_notebook(*cells: Mapping[str, Any], minor: int = 5, metadata: Mapping[str, Any] | None = None, **more: Any) -> bytes:
    """An nbformat 4 notebook with its keys sorted, as Jupyter writes them."""
    notebook = {"cells": list(cells), "metadata": dict(PYTHON if metadata is None else metadata), "nbformat": 4, "nbformat_minor": minor, **more}
    if minor >= 5:
        notebook["cells"] = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(notebook["cells"])]
    return (json.dumps(notebook, indent=1, sort_keys=True) + "\n").encode()


def build_old_notebook(*cells: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> bytes:
    """An nbformat 3 notebook, as IPython 2 wrote them."""
    worksheets = [{"cells": list(cells), "metadata": {}}]
    return json.dumps({"metadata": metadata or {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": worksheets}, indent=1).encode()


def markdown(source: str) -> dict[str, Any]:
    """A cell of text, its source in lines as Jupyter keeps it."""
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def code(source: str = "x = 1", *outputs: Mapping[str, Any], count: int | None = 1) -> dict[str, Any]:
    """A cell of code."""
    return {"cell_type": "code", "execution_count": count, "metadata": {}, "outputs": list(outputs), "source": source}


def shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """An output that shows something, by media type."""
    return {"output_type": "display_data", "metadata": {}, "data": dict(data)}


def picture(form: str = "PNG", size: Sequence[int] = (640, 480), mode: str = "RGB") -> str:
    """An image in base64, in lines as matplotlib's are."""
    body = io.BytesIO()
    Image.new(mode, (size[0], size[1])).save(body, form)
    return base64.encodebytes(body.getvalue()).decode()
