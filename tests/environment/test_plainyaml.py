"""YAML from strangers: what is built of it, what is refused, and at what cost."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from entrepot_environment.plainyaml import UnreadableYaml, load
from hypothesis import given
from hypothesis import strategies as st

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


def outcome(text: str) -> object:
    """What is built, or the refusal's message."""
    try:
        return load(text)
    except UnreadableYaml as error:
        return f"refused: {error}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("---\n...\n", None),
        ("%YAML 1.2\n---\na: b", {"a": "b"}),
        ("a: 3.10", {"a": "3.10"}),
        ("a: 1_000\nb: 0x10\nc: yes\nd: 2026-01-01\ne: .nan", {"a": "1_000", "b": "0x10", "c": "yes", "d": "2026-01-01", "e": ".nan"}),
        ("a: null\nb: ~\nc:\nd: 'null'\ne: !!str null", {"a": None, "b": None, "c": None, "d": "null", "e": "null"}),
        ("a: &x [1, 2]\nb: *x\nc: [*x, *x]", {"a": ["1", "2"], "b": ["1", "2"], "c": [["1", "2"], ["1", "2"]]}),
        ("- a\n- {b: c}\n- [d]", ["a", {"b": "c"}, ["d"]]),
        ("a: |\n  b\n  c\n", {"a": "b\nc\n"}),
    ],
)
def test_what_is_built(text: str, value: object) -> None:
    assert load(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b\n\tc: d", "in line 2, column 1"),
        ("a: [", "in line 2, column 1"),
        ("a: b: c", "in line 1"),
        ("a: \x01", "control characters"),
        ("a: 1\na: 2", "line 2 says 'a' a second time"),
        ("a: 1\n---\nb: 2", "several documents"),
        ("? [a]\n: b", "a key that is no text"),
        ("? ~\n: b", "a key that is no text"),
        ("a: *x", "refers to \\*x"),
        ("a: &x [*x]", "not yet whole"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "merges mappings"),
        ("!!python/object/apply:os.system ['true']", "has the tag"),
        ("a: !!int 3", "has the tag"),
        ("a: !include /etc/passwd", "has the tag"),
        ("%TAG ! tag:x,2000:\n---\na: b", "line 1 is a directive"),
        ("[" * 30 + "]" * 30, "levels deep"),
        ("a: &a [[[[[[[[[[[x]]]]]]]]]]]\nb: [[[[[[[[[[[*a]]]]]]]]]]]", "levels deep"),
        (LAUGHS, "stands for more than 100000 values"),
        ("- &x " + "a" * 2000 + "\n" + "- *x\n" * 600, "stands for more than 1048576 characters"),
        ("- &x [" + "a" * 2000 + "]\n- &y [*x, *x, *x]\n" + "- *y\n" * 200, "stands for more than 1048576 characters"),
        ("- a\n" * 100_001, "holds more than 100000 values"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnreadableYaml, match=message):
        load(text)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "[" * 1_000_000,
        "- " * 500_000,
        "? " * 500_000,
        "{" * 1_000_000,
        "a: &a x\n" + "b: *a\n" * 100_000,
        "".join(f"%TAG !a{number}! b\n" for number in range(60_000)) + "--- a",
        "---\n" * 250_000,
        "'" + "a" * 1_000_000,
        "".join(f"a{number}: \n" for number in range(100_000)),
        "".join(" " * depth + "- \n" for depth in range(1400)),
        "[" + "a: b, " * 160_000 + "]",
    ],
    ids=["laughs", "[", "-", "?", "{", "aliases", "directives", "documents", "quote", "keys", "staircase", "pairs"],
)
def test_a_megabyte_of_anything_costs_little(text: str) -> None:
    before = time.process_time()
    outcome(text)
    assert time.process_time() - before < 10


@given(TREES)
def test_what_is_written_is_read_again(tree: Any) -> None:
    assert load(yaml.safe_dump(tree, default_style='"')) == tree


@given(st.text(alphabet="a: -[]{}&*!|>'\"%#?,\n\t~<0\x00\ufeff\u2028", max_size=60))
def test_any_text_is_built_or_refused(text: str) -> None:
    found = outcome(text)
    assert found is None or isinstance(found, str | list | dict)
