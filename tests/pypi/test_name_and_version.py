"""Names are PEP 503's; version keys sort as PEP 440 does."""

from __future__ import annotations

from itertools import combinations

import pytest
from entrepot.plugin import ValidationError
from entrepot_pypi.packagetype import PypiType
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

number = st.one_of(st.integers(0, 3), st.integers(0, 10**20))
local = st.lists(st.one_of(number.map(str), st.text("abz09", min_size=1, max_size=3)), min_size=1, max_size=3).map(".".join)
versions = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", "", "0!", "1!", "300!"]),
    st.lists(number, min_size=1, max_size=4).map(lambda release: ".".join(map(str, release))),
    st.one_of(st.just(""), st.tuples(st.sampled_from(["a", "b", "rc"]), number).map(lambda pre: f"{pre[0]}{pre[1]}")),
    st.one_of(st.just(""), number.map(lambda n: f".post{n}")),
    st.one_of(st.just(""), number.map(lambda n: f".dev{n}")),
    st.one_of(st.just(""), local.map(lambda text: f"+{text}")),
)


@given(st.lists(versions, min_size=2, max_size=8))
def test_keys_sort_as_versions_do(spellings: list[str]) -> None:
    pypi = PypiType()
    for one, other in combinations(spellings, 2):
        left, right = pypi.version_key(one), pypi.version_key(other)
        assert (left < right) == (Version(one) < Version(other))
        assert (left == right) == (Version(one) == Version(other))


@given(versions, versions)
def test_no_key_is_the_beginning_of_another(one: str, other: str) -> None:
    pypi = PypiType()
    left, right = pypi.version_key(one), pypi.version_key(other)
    assert left == right or not right.startswith(left)


@given(versions)
def test_equal_versions_have_one_canonical_spelling(spelling: str) -> None:
    pypi = PypiType()
    canonical = pypi.canonical_version(spelling)
    assert Version(canonical) == Version(spelling)
    assert pypi.canonical_version(canonical) == canonical
    assert pypi.canonical_version(f"v{spelling}") == canonical


def test_trailing_zeros_make_no_release(pypi: PypiType) -> None:
    assert pypi.canonical_version("1.0") == pypi.canonical_version("1.0.0") == pypi.canonical_version("1")


@pytest.mark.parametrize("spelling", ["", "one", "1.0-", "1.0+", "1..0", "1.0\n2", "1" * 201])
def test_what_is_no_version_is_refused_with_a_sentence(pypi: PypiType, spelling: str) -> None:
    for ask in (pypi.canonical_version, pypi.version_key):
        with pytest.raises(ValidationError, match="PEP 440"):
            ask(spelling)


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?", fullmatch=True))
def test_names_are_normalized_as_packaging_does(spelling: str) -> None:
    assert PypiType().canonical_name(spelling) == canonicalize_name(spelling)


@pytest.mark.parametrize("spelling", ["", "-a", "a-", "a b", "a/b", "foo\n", "fоo", "é", "a" * 201])
def test_what_is_no_name_is_refused_with_a_sentence(pypi: PypiType, spelling: str) -> None:
    with pytest.raises(ValidationError, match="not a valid project name"):
        pypi.canonical_name(spelling)
