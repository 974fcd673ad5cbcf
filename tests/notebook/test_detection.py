"""Which files are notebooks, and which are only like them."""

from __future__ import annotations

import io
import json
import time

import pytest
from conda_builder import build_conda
from entrepot.errors import ValidationError
from entrepot.registry import Registry
from hypothesis import given
from hypothesis import strategies as st
from notebook_builder import build_notebook, build_old_notebook, code, markdown, picture, shown
from pypi_builder import build_sdist, build_wheel

from .conftest import Detect

BIG = build_notebook(*(code("x", shown({"image/png": picture(size=(900, 900))})) for _ in range(40)))
COLAB = json.dumps({"nbformat": 4, "nbformat_minor": 0, "metadata": {"colab": {"nbformat": "no"}}, "cells": [code()] * 3000}).encode()
ANYTHING = st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode))


@pytest.mark.parametrize(
    "body",
    [build_notebook(code()), build_old_notebook(code()), BIG, COLAB, build_notebook(), b"\xef\xbb\xbf \n" + build_notebook(code())],
    ids=["sorted", "nbformat 3", "sorted and large", "nbformat first and large", "empty", "byte order mark"],
)
def test_a_notebook_is_known_by_its_content_whatever_its_name(detect: Detect, body: bytes) -> None:
    assert detect(body, "no-ending")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"cells": []}',
        b'{"nbformat": "4", "cells": []}',
        b'{"$schema": "x", "properties": {"nbformat": {"type": "integer"}, "cells": {"nbformat": 4}}}',
        json.dumps({"name": "a", "content": json.loads(build_notebook(code())), "type": "notebook"}).encode(),
        json.dumps({"name": "a", "content": json.loads(build_notebook(code()))}).encode(),
        json.dumps({"text": '"nbformat": 4'}).encode(),
        json.dumps([json.loads(build_notebook(code()))]).encode(),
        b'{"a": "\\"", "b": [1], "nbformat" 4}',
        b"name: x\ndependencies:\n  - nbformat\n",
        b"nbformat: 4\n",
        b"",
    ],
)
def test_other_json_is_not_claimed(detect: Detect, body: bytes) -> None:
    assert not detect(body, "data.json")


@pytest.mark.parametrize("body", [b"<!DOCTYPE html>", b"{", b"[1]", "{}".encode("utf-16"), b'\n{"nbformat": 5}'])
def test_text_that_is_named_so_is_claimed_and_then_refused_with_better_words(detect: Detect, body: bytes) -> None:
    assert detect(body, "analysis.ipynb")
    found = Registry.built_in().detect(io.BytesIO(body), "analysis.ipynb")
    with pytest.raises(ValidationError, match="notebook"):
        found.inspect(io.BytesIO(body), "analysis.ipynb")


@pytest.mark.parametrize(
    "built", [build_conda("ball", "1.0"), build_conda("ball", "1.0", ext=".tar.bz2"), build_wheel("ball", "1.0"), build_sdist("ball", "1.0")]
)
@pytest.mark.parametrize("basename", [None, "ball.ipynb", "ball.yml"])
def test_archives_are_claimed_by_neither_notebooks_nor_environments(built: tuple[str, bytes], basename: str | None) -> None:
    claims = [name for name, kind in Registry.built_in().types.items() if kind.detect(io.BytesIO(built[1]), basename or built[0])]
    assert claims in (["conda"], ["pypi"])


@given(ANYTHING)
def test_detection_never_raises_and_bytes_are_no_notebook(detect: Detect, body: bytes) -> None:
    assert not detect(body, "x.bin")
    assert detect(body, "x.ipynb") in (True, False)


@given(st.integers(0, 3000))
def test_a_notebook_that_was_cut_off_is_still_claimed_by_its_name(detect: Detect, cut: int) -> None:
    body = build_notebook(markdown("# Title"), code())
    assert detect(body[: max(1, cut)], "analysis.ipynb")


@pytest.mark.parametrize(
    "body", [b'{"' + b'\\"' * 32_000, b'{"' + b"\\" * 65_001, b'{"a": "' + b"x" * 70_000], ids=["quotes", "backslashes", "cut off"]
)
def test_a_string_without_an_end_is_looked_at_once(detect: Detect, body: bytes) -> None:
    before = time.process_time()
    assert not detect(body, "x.bin")
    assert time.process_time() - before < 5
