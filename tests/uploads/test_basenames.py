"""Basenames that are none, as raw as a socket can send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from entrepot.errors import BadRequest
from entrepot.services.uploads import check_basename
from hypothesis import given
from hypothesis import strategies as st
from raw_http import ask, head

if TYPE_CHECKING:
    from .conftest import Depot


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("a/b.whl", "no slash"),
        ("a%2Fb.whl", "no slash"),
        ("..%2fb.whl", "no slash"),
        ("../bob/b.whl", "no slash"),
        ("%2e%2e/bob/b.whl", "no slash"),
        ("a%5Cb.whl", "no slash"),
        ("..", "needs a name"),
        ("%2E%2E", "needs a name"),
        (".", "needs a name"),
        ("", "needs a name"),
        ("a%00.whl", "printable ASCII"),
        ("%00", "printable ASCII"),
        ("a%0Ab.whl", "printable ASCII"),
        ("a%0d%0aX-Evil:%201", "printable ASCII"),
        ("a%1B[31m.whl", "printable ASCII"),
        ("a%7F.whl", "printable ASCII"),
        ("numpy-1.0%E2%80%91py3.whl", "printable ASCII"),
        ("%D0%B0.whl", "printable ASCII"),
        ("%EF%BD%81.whl", "printable ASCII"),
        ("%FF.whl", "printable ASCII"),
        ("%E2%80%AE.whl", "printable ASCII"),
        ("x" * 300, "300 characters"),
        ("x" * 60_000, "60000 characters"),
    ],
)
def test_a_name_that_is_none_is_400_before_the_body_is_read(depot: Depot, target: str, words: str) -> None:
    answer = ask(depot.port, head("PUT", f"/upload/alice/{target}", X_API_Key=depot.tokens["alice"], Content_Length="1000"))
    assert answer.status == 400
    assert words in json.loads(answer.body)["detail"]
    assert "x-evil" not in answer.headers
    assert depot.left() == {}


@pytest.mark.parametrize("target", ["/upload/alice", "/upload", "/upload//b.whl", "//upload/alice/b.whl", "/UPLOAD/alice/b.whl"])
def test_an_address_that_only_looks_right_is_404(depot: Depot, target: str) -> None:
    answer = ask(depot.port, head("PUT", target, X_API_Key=depot.tokens["alice"], Content_Length="4") + b"body")
    assert answer.status == 404
    assert depot.left() == {}


def test_a_namespace_that_is_none_is_404(depot: Depot) -> None:
    for namespace in ("..", "%2e%2e", "%00", "a%0d%0ab", "%D0%B0lice", "x" * 5000):
        answer = ask(depot.port, head("PUT", f"/upload/{namespace}/b.whl", X_API_Key=depot.tokens["alice"], Content_Length="4") + b"body")
        assert answer.status == 404
    assert depot.left() == {}


@pytest.mark.parametrize(
    "basename",
    ["numpy-1.0-py3-none-any.whl", "foo-1.0-0.conda", "foo-1.0-1.conda"],
)
def test_a_text_under_a_packages_name_is_422(depot: Depot, basename: str) -> None:
    for body in (b"hello\n", b"PK", b"PK\3\4", b"PK\5\6" + bytes(18), b"BZh9", b"<html>", b"\0" * 1000):
        response = depot.put(basename, body)
        assert response.status_code == 422, response.text
        assert response.json()["detail"].endswith(".")
    assert depot.left() == {}


@given(basename=st.text(max_size=300))
def test_whatever_passes_is_one_printable_path_segment(basename: str) -> None:
    try:
        check_basename(basename)
    except BadRequest:
        return
    assert 0 < len(basename) <= 255
    assert basename.isascii()
    assert basename.isprintable()
    assert not {"/", "\\"} & set(basename)
    assert basename not in (".", "..")
