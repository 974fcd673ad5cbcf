"""What lies beside wheels and sdists in folders."""

from __future__ import annotations

import io

import pytest
from entrepot.plugin import Listed, ValidationError
from entrepot_pypi.folder import is_companion, read_companion
from hypothesis import example, given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "basename",
    [
        "index.html",
        "index.v1_json",
        "a-1.0-py3-none-any.whl.metadata",
        "a-1.0-py3-none-any.whl.publish.attestation",
        "a-1.0.tar.gz.asc",
        "a-1.0.zip.sha256",
        "a-1.0.tar.gz.provenance",
        "requirements-dev.txt",
    ],
)
def test_pages_sidecars_and_signatures_are_no_packages(basename: str) -> None:
    assert is_companion(basename)


@pytest.mark.parametrize("basename", ["a-1.0-py3-none-any.whl", "a-1.0.tar.gz", "index-1.0.tar.gz", "a-1.0-0.conda", "notes.txt"])
def test_packages_and_strangers_are_no_companions(basename: str) -> None:
    assert not is_companion(basename)


@given(st.binary(max_size=200), st.sampled_from(["index.html", "index.json", "a.whl.metadata"]))
@example(b'<a href="a.whl#sha256">', "index.html")
@example(b'<a href="http://[x/a.whl">', "index.html")
@example(
    b'{"files": [{"url": null, "hashes": []}, {"url": "a", "hashes": {"sha256": null}, "core-metadata": {"sha256": 3}, "yanked": 0}]}', "index.json"
)
def test_any_page_is_read_or_refused(body: bytes, basename: str) -> None:
    try:
        found = read_companion(io.BytesIO(body), basename)
    except ValidationError:
        return
    assert all(isinstance(one, Listed) and all(isinstance(digest, str) for digest in one.digests.values()) for one in found.values())


def test_links_mean_files_below_the_page_and_say_digest_and_yank() -> None:
    page = (
        b'<a href="../a%20b.whl#sha256=ABC" data-yanked>x</a><a href="c.whl#sha512=1">x</a>'
        b'<A HREF="d.whl#md5=0f" data-dist-info-metadata="sha256=9">x</a>'
    )
    assert read_companion(io.BytesIO(page), "index.html") == {
        "../a b.whl": Listed(digests={"sha256": "abc"}, state={"yanked": True}),
        "c.whl": Listed(),
        "d.whl": Listed(digests={"md5": "0f"}, record={"page": "9"}),
    }
