"""What lies beside packages in the folders of a channel."""

from __future__ import annotations

import io

import pytest
from entrepot.plugin import Listed, ValidationError
from entrepot_conda.folder import is_companion, read_companion
from hypothesis import example, given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "basename",
    [
        "repodata.json",
        "repodata.json.zst",
        "repodata.json.bz2",
        "current_repodata.json",
        "repodata_from_packages.json.zst",
        "repodata_shards.msgpack.zst",
        "repodata.jlap",
        "repodata.info.json",
        "channeldata.json",
        "patch_instructions.json",
        "run_exports.json.zst",
        "index.html",
        "rss.xml",
        "a-1.0-0.conda.sig",
        f"{'0a' * 32}.msgpack.zst",
    ],
)
def test_what_indexers_and_mirrors_write_is_no_package(basename: str) -> None:
    assert is_companion(basename)


@pytest.mark.parametrize(
    "basename", ["repodata-1.0-0.conda", "repodata-1.0-0.tar.bz2", "a-1.0-0.conda", "README.md", "notebook.ipynb", "environment.yml"]
)
def test_packages_and_strangers_are_no_companions(basename: str) -> None:
    assert not is_companion(basename)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["packages", "packages.conda", "removed", "sha256", "a-1.0-0.conda"]), inner),
    ).map(
        lambda value: (
            repr(value).replace("'", '"').replace("None", "null").replace("True", "true").replace("False", "false").encode("utf-8", "replace")
        )
    )
)
@example(b'{"packages": {"a-1.0-0.tar.bz2": {"sha256": 7}}, "removed": {"x": 1}}')
def test_any_repodata_is_read_or_refused(body: bytes) -> None:
    try:
        found = read_companion(io.BytesIO(body), "repodata.json")
    except ValidationError:
        return
    assert all(isinstance(one, Listed) and all(isinstance(digest, str) for digest in one.digests.values()) for one in found.values())
