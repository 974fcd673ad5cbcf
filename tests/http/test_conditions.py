"""Ranges, conditions and encodings, against what the RFCs say, for any header."""

from __future__ import annotations

import re

import pytest
from entrepot.http.conditions import Unsatisfiable, accepted_encoding, asked_range, none_match
from entrepot.http.contents import _gathered
from hypothesis import example, given
from hypothesis import strategies as st

ETAG = '"abc"'
sizes = st.integers(0, 40)
positions = st.integers(0, 50)


@given(first=positions, last=positions, size=sizes)
def test_a_range_is_a_slice(first: int, last: int, size: int) -> None:
    body = bytes(range(size))
    if last < first:
        assert asked_range(f"bytes={first}-{last}", "", ETAG, size) is None
    elif first >= size:
        with pytest.raises(Unsatisfiable):
            asked_range(f"bytes={first}-{last}", "", ETAG, size)
    else:
        found = asked_range(f"bytes={first}-{last}", "", ETAG, size)
        assert found is not None
        assert body[found[0] : found[1]] == body[first : last + 1] != b""


@given(first=positions, size=sizes)
def test_an_open_range_is_the_rest(first: int, size: int) -> None:
    if first >= size:
        with pytest.raises(Unsatisfiable):
            asked_range(f"bytes={first}-", "", ETAG, size)
    else:
        assert asked_range(f"bytes={first}-", "", ETAG, size) == (first, size)


@given(length=positions, size=sizes)
def test_a_suffix_range_is_the_end(length: int, size: int) -> None:
    if length == 0 or size == 0:
        with pytest.raises(Unsatisfiable):
            asked_range(f"bytes=-{length}", "", ETAG, size)
    else:
        assert asked_range(f"bytes=-{length}", "", ETAG, size) == (max(0, size - length), size)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-" + "9" * 5000, (0, 10)),
        ("bytes=-" + "9" * 5000, (0, 10)),
        ("bytes=" + "0" * 5000 + "5-6", (5, 7)),
        ("BYTES = 5 - 6 ", (5, 7)),
        ("bytes=5-4", None),
        ("bytes=" + "9" * 5000 + "-5", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("bytes=0-1,", None),
        ("bytes 0-1", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-\u0662", None),
        ("", None),
    ],
)
def test_odd_ranges(header: str, wanted: tuple[int, int] | None) -> None:
    assert asked_range(header, "", ETAG, 10) == wanted


def test_a_range_that_begins_beyond_all_numbers_is_unsatisfiable() -> None:
    with pytest.raises(Unsatisfiable):
        asked_range("bytes=" + "9" * 5000 + "-", "", ETAG, 10)


@given(header=st.text(max_size=30), size=sizes)
@example(header="bytes=0--1", size=3)
def test_any_header_is_a_range_within_the_body_or_the_whole(header: str, size: int) -> None:
    try:
        found = asked_range(header, "", ETAG, size)
    except Unsatisfiable:
        return
    assert found is None or 0 <= found[0] < found[1] <= size


@pytest.mark.parametrize(("if_range", "wanted"), [("", (1, 3)), (ETAG, (1, 3)), ('W/"abc"', None), ('"abd"', None), ("abc", None)])
def test_if_range_must_be_the_strong_etag(if_range: str, wanted: tuple[int, int] | None) -> None:
    assert asked_range("bytes=1-2", if_range, ETAG, 10) == wanted
    assert asked_range("bytes=1-2", "Sat, 21 Nov 2026 10:00:00 GMT", ETAG, 10) is None


def test_if_range_that_fails_makes_an_unsatisfiable_range_the_whole() -> None:
    assert asked_range("bytes=100-", '"other"', ETAG, 10) is None


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        (ETAG, True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x",W/"abc" ,"y"', True),
        ("*", True),
        ('"abcd"', False),
        ("abc", False),
        ("", False),
        ('"ABC"', False),
        ('"abc-gzip"', False),
    ],
)
def test_if_none_match_compares_weakly(header: str, holds: bool) -> None:
    assert none_match(header, ETAG) == holds


@given(etags=st.lists(st.from_regex(re.compile(r'(W/)?"[a-f0-9]{1,4}"'), fullmatch=True), min_size=1), space=st.sampled_from(["", " ", "\t"]))
def test_if_none_match_holds_when_one_of_the_list_does(etags: list[str], space: str) -> None:
    assert none_match(f"{space},{space}".join(etags), etags[-1].removeprefix("W/"))


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0, gzip", "gzip"),
        ("zstd; q=0.000 , gzip;q=0", ""),
        ("GZIP;Q=0.5", "gzip"),
        ("zstd;q=0.001", "zstd"),
        ("gzip;q=0", ""),
        ("gzipped, notzstd", ""),
        ("*", ""),
        (",,;q=1,", ""),
    ],
)
def test_the_encoding_is_one_that_the_client_allows(header: str, encoding: str) -> None:
    assert accepted_encoding(header) == encoding


@given(
    pieces=st.lists(st.binary(max_size=20)),
    start=st.integers(0, 200),
    length=st.integers(1, 200),
    at_once=st.integers(1, 30),
)
def test_chunks_of_pieces_are_a_slice_of_the_whole(pieces: list[bytes], start: int, length: int, at_once: int) -> None:
    whole = b"".join(pieces)
    stop = min(len(whole), start + length)
    chunks = list(_gathered(tuple(pieces), start, stop, at_once))
    assert b"".join(chunks) == whole[start:stop]
    assert all(0 < len(chunk) < 2 * at_once for chunk in chunks)
