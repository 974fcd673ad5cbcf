"""The version key against conda's rules, written down a second time as a comparison of lists."""

from __future__ import annotations

import re
from itertools import pairwise, zip_longest
from math import inf

import pytest
from entrepot.plugin import ValidationError
from entrepot_conda.version import version_key
from hypothesis import given
from hypothesis import strategies as st

segment = st.lists(
    st.sampled_from(["0", "1", "2", "00", "7", "10", "255", "256", "65536", "a", "b", "rc", "dev", "post", "alpha", "z"]), min_size=1, max_size=3
).map("".join)
segments = st.lists(st.tuples(st.sampled_from("._"), segment), min_size=1, max_size=4).map(lambda pairs: "".join(a + b for a, b in pairs)[1:])
versions = st.tuples(
    st.sampled_from(["", "", "0!", "1!"]), segments, st.sampled_from(["", "", "_", "__"]), st.one_of(st.just(""), segments.map("+".__add__))
).map("".join)


def lists(text: str) -> list[list[float | str]]:
    """`1.2rc_` as [[1], [2, "rc_"]]."""
    text = text[:-1].replace("_", ".") + "_" if text.endswith("_") else text.replace("_", ".")
    words: dict[str, float | str] = {"dev": "DEV", "post": inf}
    found: list[list[float | str]] = []
    for part in text.split("."):
        elements: list[float | str] = [int(run) if run.isdigit() else words.get(run, run) for run in re.findall(r"\d+|\D+", part)]
        found.append(elements if part[0].isdigit() else [0, *elements])
    return found


def compare(one: str, other: str) -> int:
    """Less than, equal to or greater than 0."""
    halves: list[tuple[list[list[float | str]], list[list[float | str]]]] = []
    for version in (one, other):
        epoch, _, rest = version.rpartition("!")
        public, _, local = rest.partition("+")
        halves.append(([[int(epoch or 0)], *lists(public)], lists(local) if local else []))
    for ours, theirs in zip(*halves, strict=True):
        nothing: list[float | str] = []
        for left, right in zip_longest(ours, theirs, fillvalue=nothing):
            for a, b in zip_longest(left, right, fillvalue=0):
                if isinstance(a, str) != isinstance(b, str):
                    return -1 if isinstance(a, str) else 1
                if a != b:
                    return -1 if a < b else 1
    return 0


@given(versions.filter(lambda version: len(version) <= 64), versions.filter(lambda version: len(version) <= 64))
def test_keys_sort_as_versions_do(one: str, other: str) -> None:
    a, b = version_key(one), version_key(other)
    assert (a > b) - (a < b) == compare(one, other)


def test_the_order_that_conda_documents() -> None:
    order = [
        *("0.4", "0.4.1.rc", "0.4.1", "0.5a1", "0.5b3", "0.5c1", "0.5", "0.9.6", "0.960923", "1.0"),
        *("1.1dev1", "1.1_", "1.1a1", "1.1.0dev1", "1.1.a1", "1.1.0rc1", "1.1.0", "1.1.0post1", "1.1post1"),
        *("1996.07.12", "1!0.4.1", "1!3.1.1.6", "2!0.4.1"),
    ]
    keys = [version_key(version) for version in order]
    assert all(less < more for less, more in pairwise(keys))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0.0"),
        ("0.4", "0.4.0"),
        ("1.1.0dev1", "1.1.dev1"),
        ("1.1.post1", "1.1.0post1"),
        ("0!1", "1"),
        ("1+0", "1"),
        ("1_0", "1.0"),
        ("01", "1"),
    ],
)
def test_versions_that_conda_holds_equal_have_one_key(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


@pytest.mark.parametrize(
    "version",
    [
        "",
        "1..2",
        "_1",
        "1.",
        ".1",
        "1+",
        "+1",
        "1!",
        "!1",
        "a!1",
        "1!2!3",
        "1+2+3",
        "1___",
        "1-2",
        "1.0RC1",
        "1 ",
        "1\n",
        "１",
        "1*",
        "1/2",
        "1\0",
        "1" * 65,
        "é",
    ],
)
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(ValidationError, match="is no conda version"):
        version_key(version)


def test_a_number_that_rattler_could_not_read_is_refused() -> None:
    assert version_key("18446744073709551615") < version_key("1!0")
    with pytest.raises(ValidationError, match="beyond 64 bits"):
        version_key("1.18446744073709551616")
