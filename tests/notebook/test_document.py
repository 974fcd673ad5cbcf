"""Reading notebooks: what is refused, with which sentence, and at what cost."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import orjson
import pytest
from entrepot.plugin import InvalidPackage
from hypothesis import given
from hypothesis import strategies as st
from notebook_builder import PYTHON, build_notebook, build_old_notebook, code, markdown, shown

from .conftest import Inspect

KEYS = ["outputs", "source", "metadata", "execution_count", "attachments", "id", "language", "prompt_number"]
GOOD = json.loads(build_notebook(markdown("# Title"), code()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def changed(**keys: Any) -> bytes:
    """The good notebook with other values under some keys; None leaves a key out."""
    return json.dumps({key: value for key, value in {**GOOD, **keys}.items() if value is not None}).encode()


def outcome(inspect: Inspect, body: bytes) -> str:
    """The attributes as the database keeps them, or the sentence of the refusal."""
    try:
        return orjson.dumps(inspect(body).attributes).decode()
    except InvalidPackage as error:
        return error.message


@pytest.mark.parametrize(
    "body",
    [
        build_notebook(),
        build_notebook(metadata={}),
        build_notebook(code(), minor=0),
        build_notebook(code(), minor=4),
        build_notebook(code()).replace(b'"id": "cell-0",', b""),
        build_notebook(code(), minor=2).replace(b'"cell_type"', b'"id": "of-an-editor", "cell_type"'),
        build_notebook({**code(), "id": "same"}, {**code(), "id": "same"}),
        build_notebook({"cell_type": "raw", "metadata": {}, "source": "raw"}),
        build_notebook({**markdown("x"), "attachments": {"a.png": {"image/png": "AAAA"}}}),
        build_notebook(
            code("x", shown({"application/vnd.plotly.v1+json": {"data": [{"y": [1.5] * 1000}]}, "text/html": "<script>alert(1)</script>"}))
        ),
        build_notebook(code(), minor=6, new_key={"a": 1}),
        build_old_notebook(
            {"cell_type": "code", "collapsed": False, "input": ["1"], "language": "python", "metadata": {}, "outputs": [], "prompt_number": 1}
        ),
        build_old_notebook({"cell_type": "heading", "level": 1, "metadata": {}, "source": "Title"}),
        build_notebook(markdown("ü 😀 \ud800".encode("utf-8", "replace").decode())),
        build_notebook(markdown("half of a pair: \ud83d")),
        b"\r\n" + build_notebook(code()).replace(b"\n", b"\r\n"),
    ],
    ids=lambda body: "",
)
def test_what_jupyter_opens_is_taken(inspect: Inspect, body: bytes) -> None:
    assert inspect(body).attributes["nbformat"] in (3, 4)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"\xef\xbb\xbf" + build_notebook(), "byte order mark"),
        (build_notebook().decode().encode("utf-16"), "UTF-16"),
        (build_notebook(markdown("x")).replace(b'"x"', b'"\xff"'), "not UTF-8: there is a byte 0xff at position"),
        (build_notebook()[:-10], "not valid JSON: .* in line"),
        (b"<!DOCTYPE html><html>", "It is HTML: download the notebook itself"),
        (build_notebook() + b"{}", "not valid JSON"),
        (build_notebook(code("x", shown({"application/json": {"a": float("nan")}}))), "holds NaN, which is not JSON"),
        (build_notebook(code("x", shown({"application/json": {"a": float("-inf")}}))), "holds -Infinity"),
        (b'{"nbformat": 4, "nbformat": 4}', "says 'nbformat' twice"),
        (build_notebook(code()).replace(b'"metadata": {}', b'"metadata": {"a": 1, "a": 2}'), "says 'a' twice"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b"[1, 2]", "another JSON value"),
        (b"{}", "does not say its format"),
        (changed(nbformat=None), "does not say its format"),
        (changed(nbformat="4"), "does not say its format"),
        (changed(nbformat=True), "does not say its format"),
        (changed(nbformat=4.0), "does not say its format"),
        (changed(nbformat_minor=-1), "does not say its format"),
        (changed(nbformat_minor=10**18), "does not say its format"),
        (changed(nbformat=2), "nbformat 2, is older than Jupyter"),
        (changed(nbformat=5), "nbformat 5, is not known here"),
        (changed(cells=None), "not valid nbformat 4.5: .*cells"),
        (changed(cells={}), "not valid nbformat 4.5: cells must be array"),
        (changed(metadata=None), "not valid nbformat 4.5: .*metadata"),
        (changed(cells=[{"cell_type": "code"}]), "cell 1 says that it is a code cell and is none"),
        (changed(cells=[GOOD["cells"][0], {**GOOD["cells"][1], "cell_type": "spell"}]), "cell 2 says that it is a spell cell"),
        (changed(cells=[[]]), "cell 1 says no cell_type"),
        (changed(nbformat=3, worksheets=[{"cells": [{"cell_type": "code"}]}]), "not valid nbformat 3"),
        (changed(nbformat=3, cells=None), "not valid nbformat 3"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_with_a_sentence(inspect: Inspect, body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence) as caught:
        inspect(body)
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) < 500


@given(st.dictionaries(st.sampled_from(["cells", "metadata", "nbformat", "nbformat_minor", "worksheets"]), VALUES))
def test_any_json_under_the_known_keys_is_read_or_refused(inspect: Inspect, keys: dict[str, Any]) -> None:
    assert outcome(inspect, json.dumps({**GOOD, **keys}).encode()).endswith((".", "}"))


@given(VALUES, st.sampled_from(["title", "name", "authors", "kernelspec", "language_info", "summary", "description", "version", "widgets"]))
def test_any_json_in_the_metadata_is_read_or_refused(inspect: Inspect, value: Any, key: str) -> None:
    found = outcome(inspect, build_notebook(markdown("text"), code(), metadata={key: value}))
    assert found.startswith(("The notebook is not valid nbformat 4.5: metadata", "{"))


@given(st.sampled_from(["code", "markdown", "raw", "spell"]), st.dictionaries(st.sampled_from(KEYS), VALUES), st.sampled_from([4, 5, 6, 7]))
def test_any_json_in_a_cell_is_read_or_refused(inspect: Inspect, kind: str, keys: dict[str, Any], minor: int) -> None:
    cell = {"cell_type": kind, "metadata": {}, "source": "# x", **({"outputs": [], "execution_count": None} if kind == "code" else {}), **keys}
    assert outcome(inspect, build_notebook(cell, minor=minor)).endswith((".", "}"))


@given(
    st.dictionaries(st.sampled_from(["png", "jpeg", "text", "html", "output_type", "metadata"]), VALUES),
    st.sampled_from(["code", "heading", "markdown"]),
)
def test_any_json_in_a_cell_of_format_3_is_read_or_refused(inspect: Inspect, output: dict[str, Any], kind: str) -> None:
    seen = {"output_type": "display_data", "metadata": {}, **output}
    cell = {"cell_type": kind, "level": 1, "source": "x", "input": "x", "language": "python", "collapsed": False, "metadata": {}, "outputs": [seen]}
    assert outcome(inspect, build_old_notebook(cell)).endswith((".", "}"))


def test_outputs_of_a_cell_that_has_none_are_not_looked_at(inspect: Inspect) -> None:
    assert inspect(build_notebook({**markdown("x"), "outputs": 5}, minor=4)).attributes["cells"] == {"markdown": 1}


@pytest.mark.parametrize(
    "source", ["<" * 60_000, "[" * 60_000, "# " + "*_`[" * 15_000, "data:" * 12_000, "#" * 60_000], ids=["<", "[", "marks", "data", "#"]
)
def test_text_that_looks_like_markup_costs_little(inspect: Inspect, source: str) -> None:
    before = time.process_time()
    inspect(build_notebook(*(markdown(source) for _ in range(20))))
    assert time.process_time() - before < 10


@given(st.binary(max_size=200))
def test_bytes_in_the_middle_of_a_notebook_are_read_or_refused(inspect: Inspect, noise: bytes) -> None:
    body = build_notebook(markdown("# Title"), code())
    middle = len(body) // 2
    assert outcome(inspect, body[:middle] + noise + body[middle:]).endswith((".", "}"))


def test_fifty_megabytes_are_refused_unread(inspect: Inspect) -> None:
    body = build_notebook(code("x", shown({"text/plain": "x" * (50 << 20)})))
    tracemalloc.start()
    with pytest.raises(InvalidPackage, match=r"has 50 MiB; 25 MiB is the most\. Clear the outputs"):
        inspect(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_twenty_megabytes_of_outputs_are_taken(inspect: Inspect) -> None:
    made = inspect(build_notebook(*(code("x", shown({"text/html": "<b>" * 2000})) for _ in range(3000)), markdown("# Late title")))
    assert made.attributes["cells"] == {"code": 3000, "markdown": 1}
    assert made.attributes["title"] == "Late title"


@pytest.mark.parametrize(
    "output",
    [
        b"[" + b"[]," * 3_000_000 + b"1]",
        b"[" + b"{}," * 300_000 + b"1]",
        b"[" + b'"ab",' * 3_000_000 + b"1]",
        b"[" + (b"[" * 400 + b"]" * 400 + b",") * 6_000 + b"1]",
    ],
    ids=["lists", "objects", "strings", "nested lists"],
)
def test_what_would_fill_the_memory_is_refused_before_it_does(inspect: Inspect, output: bytes) -> None:
    body = build_notebook(code("x", shown({"application/json": {"a": "HERE"}}))).replace(b'"HERE"', output)
    tracemalloc.start()
    with pytest.raises(InvalidPackage, match="Clear the outputs"):
        inspect(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(body) + (64 << 20)


def test_the_costliest_valid_notebook_takes_seconds_and_not_minutes(inspect: Inspect) -> None:
    body = json.dumps(
        {"cells": [{"cell_type": "raw", "metadata": {}, "source": ""}] * 45_000, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    ).encode()
    before = time.process_time()
    assert inspect(body).attributes["cells"] == {"raw": 45_000}
    assert time.process_time() - before < 60


def test_a_key_that_comes_twice_is_found_among_very_many(inspect: Inspect) -> None:
    keys = b",".join(b'"k%d":0' % number for number in range(200_000))
    before = time.process_time()
    with pytest.raises(InvalidPackage, match="says 'late' twice"):
        inspect(b'{"metadata":{' + keys + b',"late":0,"late":0}}')
    assert time.process_time() - before < 20


def test_a_random_minor_version_keeps_no_new_validator(inspect: Inspect) -> None:
    from nbformat import validator

    inspect(build_notebook(minor=6, metadata=PYTHON))
    kept = len(validator.validators)
    for minor in range(7, 20):
        inspect(build_notebook(minor=minor, metadata=PYTHON))
    assert len(validator.validators) == kept
