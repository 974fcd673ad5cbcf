"""What notebooks say of themselves."""

from __future__ import annotations

import base64
import io
import struct
import time
import zlib
from typing import Any

import pytest
from entrepot.plugin import Inspection
from hypothesis import given
from hypothesis import strategies as st
from notebook_builder import PYTHON, build_notebook, build_old_notebook, code, markdown, picture, shown
from PIL import Image

from .conftest import Inspect


def title(made: Inspection) -> str:
    return str(made.attributes["title"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# Penguins", "Penguins"),
        ("Some text\n\n## On *penguins* and `code` ##\n", "On penguins and code"),
        ("![logo](x.png)\n# [Penguins](http://x) &amp; more", "Penguins &amp; more"),
        ("Penguins\n========\n", "Penguins"),
        ("<center><h1 style='color:red'>Penguins</h1></center>", "Penguins"),
        ("```\n# a comment\n```\n# Penguins", "Penguins"),
        ("#hashtag\n", "analysis"),
        ("#   \n# Penguins", "Penguins"),
        ("no heading", "analysis"),
        ("# <img src=x onerror=alert(1)>Hi", "Hi"),
        ("# snake_case_name and __bold__", "snake_case_name and bold"),
        ("# " + "long " * 1000, ("long " * 60).strip()),
        ("# bad \x00 and \x1b[31m", "bad and [31m"),
    ],
)
def test_the_first_heading_is_the_title_without_its_markup(inspect: Inspect, source: str, expected: str) -> None:
    assert title(inspect(build_notebook(code(), markdown(source)))) == expected


def test_the_metadata_says_more_than_the_text(inspect: Inspect) -> None:
    metadata = {**PYTHON, "title": "In the metadata", "summary": "A summary", "description": "A description", "authors": [{"name": "Ada"}, {"x": 1}]}
    made = inspect(build_notebook(markdown("# In the text"), metadata=metadata))
    assert (title(made), made.summary, made.description, made.attributes["authors"]) == ("In the metadata", "A summary", "A description", ["Ada"])


def test_without_metadata_the_text_says_it(inspect: Inspect) -> None:
    made = inspect(build_notebook(code(), markdown("# Penguins\n\nThey swim."), markdown("# Later")))
    assert (made.summary, made.description) == ("Penguins", "# Penguins\n\nThey swim.")
    made = inspect(build_notebook(code()))
    assert (made.summary, made.description, title(made)) == ("", "", "analysis")


@pytest.mark.parametrize("line", [" " * 60_000 + "x", "<center>" + " " * 60_000 + "x", "# " + " " * 60_000], ids=["blank", "centred", "heading"])
def test_a_heading_is_looked_for_in_time_that_grows_with_the_line(inspect: Inspect, line: str) -> None:
    before = time.process_time()
    assert title(inspect(build_notebook(*(markdown(line) for _ in range(20)), markdown("# Title")))) == "Title"
    assert time.process_time() - before < 20


def test_embedded_images_are_no_part_of_the_description(inspect: Inspect) -> None:
    made = inspect(build_notebook(markdown(f"Before ![x](data:image/png;base64,{'A' * 1000}) after")))
    assert made.description == "Before ![x](data:) after"


def test_kernel_language_cells_and_outputs(inspect: Inspect) -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "x", "traceback": []}
    widget = shown({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "w"})
    made = inspect(build_notebook(markdown("x"), code("1", error, widget), code("2", count=None)))
    assert made.attributes == {
        "nbformat": 4,
        "nbformat_minor": 5,
        "title": "analysis",
        "authors": [],
        "kernel": {"name": "python3", "display_name": "Python 3 (ipykernel)"},
        "language": {"name": "python", "version": "3.12.1"},
        "cells": {"markdown": 1, "code": 2},
        "executed": True,
        "errors": True,
        "widgets": True,
        "output_types": ["application/vnd.jupyter.widget-view+json", "text/plain"],
    }
    assert not inspect(build_notebook(code(count=None))).attributes["executed"]


def test_a_notebook_of_format_3(inspect: Inspect) -> None:
    output = {"output_type": "pyout", "prompt_number": 3, "metadata": {}, "png": picture(), "text": ["x"]}
    cell = {"cell_type": "code", "collapsed": False, "input": "1", "language": "julia", "metadata": {}, "outputs": [output], "prompt_number": 3}
    made = inspect(build_old_notebook(cell, {"cell_type": "heading", "level": 1, "metadata": {}, "source": "Old"}))
    assert title(made) == "Old"
    assert made.attributes["language"] == {"name": "julia"}
    assert made.attributes["output_types"] == ["image/png", "text/plain"]
    assert made.attributes["executed"]
    assert [extra.name for extra in made.extras] == ["thumbnail.png"]
    assert title(inspect(build_old_notebook(metadata={"name": "Named"}))) == "Named"


@pytest.mark.parametrize(
    ("basename", "name"),
    [
        ("My Notebook (1).ipynb", "my-notebook-1"),
        ("under_score.IPYNB", "under_score"),
        ("v1.2 -- x.ipynb", "v1-2-x"),
        ("___.ipynb", ""),
        (".ipynb", ""),
    ],
)
def test_the_name_is_a_slug_of_the_basename(inspect: Inspect, basename: str, name: str) -> None:
    assert inspect(build_notebook(), basename).name == name


@pytest.mark.parametrize(("said", "version"), [("1.2", "1.2"), ("1.2 (draft)", ""), ("../x", ""), (2, ""), (None, ""), ("a" * 200, "")])
def test_a_version_in_the_metadata_is_proposed_if_it_is_one(inspect: Inspect, said: Any, version: str) -> None:
    assert inspect(build_notebook(metadata={"version": said})).version == version


def thumbnail(inspect: Inspect, *images: dict[str, Any]) -> Image.Image | None:
    """The thumbnail of a notebook that shows these."""
    extras = inspect(build_notebook(code("x", *(shown(image) for image in images)))).extras
    assert all((extra.name, extra.media_type) == ("thumbnail.png", "image/png") for extra in extras)
    return Image.open(io.BytesIO(extras[0].body), formats=["PNG"]) if extras else None


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "RGB"), ("JPEG", "CMYK")]
)
def test_the_first_image_makes_a_small_png(inspect: Inspect, form: str, mode: str) -> None:
    made = thumbnail(inspect, {f"image/{form.lower()}": picture(form, (1200, 400), mode)}, {"image/png": picture(size=(10, 10))})
    assert made is not None
    assert (made.format, made.size) == ("PNG", (340, 113))


def test_svg_gif_and_links_make_no_thumbnail(inspect: Inspect) -> None:
    gif = io.BytesIO()
    Image.new("RGB", (20, 20)).save(gif, "GIF")
    assert thumbnail(inspect, {"image/svg+xml": "<svg onload='alert(1)'/>"}, {"text/html": "<img src='http://x'>"}) is None
    assert thumbnail(inspect, {"image/png": base64.b64encode(gif.getvalue()).decode()}) is None


def test_a_thumbnail_carries_nothing_of_the_originals_metadata(inspect: Inspect) -> None:
    from PIL.PngImagePlugin import PngInfo

    body, info = io.BytesIO(), PngInfo()
    info.add_text("Comment", "secret place")
    Image.new("RGB", (50, 50)).save(body, "PNG", pnginfo=info)
    extra = inspect(build_notebook(code("x", shown({"image/png": base64.b64encode(body.getvalue()).decode()})))).extras[0]
    assert b"secret place" not in extra.body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes) -> str:
    """A PNG that claims this size, in base64."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")).decode()


@pytest.mark.parametrize(
    "image",
    [
        "",
        "not base64!",
        "AAAA",
        picture()[:200],
        png(2**31 - 1, 2**31 - 1, b""),
        png(20_000, 20_000, zlib.compress(bytes(1 << 20))),
        png(100, 100, zlib.compress(b"")),
        png(0, 5, b""),
    ],
    ids=["empty", "no base64", "no image", "cut off", "huge", "large", "too short", "no width"],
)
def test_a_broken_or_huge_image_makes_no_thumbnail_and_no_refusal(inspect: Inspect, image: str) -> None:
    before = time.process_time()
    assert thumbnail(inspect, {"image/png": image}) is None
    assert time.process_time() - before < 20


@given(st.binary(max_size=300))
def test_any_bytes_make_a_thumbnail_or_none(inspect: Inspect, noise: bytes) -> None:
    body = bytearray(base64.b64decode(picture(size=(40, 30))))
    body[20 : 20 + len(noise)] = noise
    made = thumbnail(inspect, {"image/png": base64.b64encode(body).decode()})
    assert made is None or made.width <= 340
