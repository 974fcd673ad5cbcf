"""What a hotfix may say of a record: as much as an upload, and nothing that would break the channel."""

from __future__ import annotations

from typing import Any

import pytest
from conda_builder import build_conda
from conda_channel import conda, store
from entrepot.plugin import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

FILE = store(*build_conda("foo", "1.0", "py_3", "noarch", ["bar >=1"], index={"constrains": ["qux <3"], "license_family": "MIT"}))


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"depends": ["python >=3.11", "bar[version='>=2']"]}, {"depends": ["python >=3.11", "bar[version='>=2']"]}),
        ({"depends": []}, {"depends": []}),
        ({"constrains": None}, {"constrains": None}),
        ({"license": "BSD-3-Clause", "license_family": None}, {"license": "BSD-3-Clause", "license_family": None}),
        ({"license": ["MIT", "BSD"]}, {"license": "MIT, BSD"}),
        ({"track_features": ["mkl", "nomkl"], "features": ""}, {"track_features": "mkl nomkl", "features": ""}),
        ({"timestamp": 1_500_000_000_000}, {"timestamp": 1_500_000_000_000}),
        ({"python_site_packages_path": "lib/python3.13t/site-packages"}, {"python_site_packages_path": "lib/python3.13t/site-packages"}),
        ({"purls": ["pkg:pypi/foo@1.0"]}, {"purls": ["pkg:pypi/foo@1.0"]}),
        ({"run_exports": ["foo >=1"]}, {"run_exports": {"weak": ["foo >=1"]}}),
        ({"run_exports": {"strong": ["foo >=1"], "weak": []}}, {"run_exports": {"strong": ["foo >=1"]}}),
        ({"run_exports": {}}, {"run_exports": {}}),
    ],
    ids=str,
)
def test_what_an_upload_could_say_is_kept_as_an_upload_would_keep_it(changes: dict[str, Any], kept: dict[str, Any]) -> None:
    assert conda.hotfix(FILE, changes) == kept


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sha256": "0" * 64}, "cannot change 'sha256'"),
        ({"license": "MIT", "name": "other"}, "cannot change 'name'"),
        ({"subdir": "linux-64"}, "cannot change 'subdir'"),
        ({"build_number": 1}, "cannot change 'build_number'"),
        ({"indexed_timestamp": 1}, "cannot change 'indexed_timestamp'"),
        ({"flags": ["x"]}, "cannot change 'flags'"),
        ({"x" * 200: 1}, "cannot change 'xxx"),
        ({"depends": None}, "Every record has depends"),
        ({"run_exports": None}, "Every record has run_exports"),
        ({"depends": "python"}, "depends must be a list of strings."),
        ({"depends": [None]}, "depends must be a list of strings."),
        ({"depends": ["python >=3\nfoo"]}, "no match specification"),
        ({"depends": ["python; if win"]}, "CEP 43"),
        ({"constrains": {"a": 1}}, "constrains must be a list of strings."),
        ({"license": 3}, "license must be a string."),
        ({"license": "a\0b"}, "U+0000"),
        ({"track_features": {"mkl": True}}, "track_features must be a string."),
        ({"timestamp": 10**30}, "spoil the record"),
        ({"timestamp": 2**63}, "64 bits"),
        ({"timestamp": 9_000_000_000_000}, "lies in the future"),
        ({"timestamp": True}, "timestamp must be a whole number"),
        ({"purls": "pkg:pypi/foo"}, "purls must be a list"),
        ({"run_exports": "foo"}, "run_exports must be an object of lists"),
        ({"run_exports": {"weak": "foo"}}, "run_exports.weak must be a list of strings."),
        ({"depends": [[[[["x"]]]]]}, "depends must be a list of strings."),
        ({"license": "\ud800"}, "spoil the record"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_no_upload_could_say_is_refused_with_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        conda.hotfix(FILE, changes)
    assert sentence in refusal.value.message
    assert refusal.value.message.endswith(".")
    assert "index.json" not in refusal.value.message
    assert refusal.value.field == "hotfix"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=8), one, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["depends", "constrains", "license", "track_features", "timestamp", "purls", "run_exports", "features", "name", "size"])


@settings(max_examples=50)
@given(st.dictionaries(FIELDS, ANYTHING, min_size=1, max_size=4))
def test_whatever_is_sent_is_refused_or_is_a_record_that_an_upload_could_have(changes: dict[str, Any]) -> None:
    try:
        kept = conda.hotfix(FILE, changes)
    except ValidationError:
        return
    assert kept.keys() == changes.keys()
    assert conda.hotfix(FILE, kept) == kept
    for key in ("depends", "constrains"):
        assert all(isinstance(spec, str) for spec in kept.get(key) or ())
    for key in ("license", "track_features", "features"):
        assert kept.get(key) is None or isinstance(kept[key], str)
