"""Whose file is it? By the bytes first."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from entrepot_pypi.packagetype import PypiType
from hypothesis import given
from hypothesis import strategies as st
from pypi_builder import build_sdist, build_tar, build_wheel, build_zip

CONDA = build_zip([("metadata.json", b'{"conda_pkg_format_version": 2}'), ("pkg-foo-1.0-0.tar.zst", b"x"), ("info-foo-1.0-0.tar.zst", b"x")])


def detects(body: bytes, basename: str) -> bool:
    return PypiType().detect(io.BytesIO(body), basename)


@pytest.mark.parametrize(
    ("built", "basename"),
    [
        (build_wheel("foo", "1.0"), None),
        (build_wheel("foo", "1.0"), "renamed.bin"),
        (build_wheel("foo", "1.0", without=["WHEEL"]), None),
        (("", build_wheel("foo", "1.0")[1][:100]), "foo-1.0-py3-none-any.whl"),
        (build_sdist("foo", "1.0"), None),
        (build_sdist("foo", "1.0"), "renamed.tgz"),
        (build_sdist("foo", "1.0"), "snapshot.tar.gz"),
        (build_sdist("foo", "1.0", without=["PKG-INFO"]), None),
        (build_sdist("foo", "1.0", format="zip"), None),
        (("", build_sdist("foo", "1.0")[1][:20]), "foo-1.0.tar.gz"),
    ],
)
def test_wheels_and_sdists_are_claimed(built: tuple[str, bytes], basename: str | None) -> None:
    assert detects(built[1], basename or built[0])


@pytest.mark.parametrize(
    ("body", "basename"),
    [
        (b"just text", "foo-1.0-py3-none-any.whl"),
        (b"", "foo-1.0-py3-none-any.whl"),
        (b"just text", "foo-1.0.tar.gz"),
        (b"BZh91AY&SY" + bytes(100), "foo-1.0-0.tar.bz2"),
        (b"BZh91AY&SY" + bytes(100), "foo-1.0.tar.gz"),
        (CONDA, "foo-1.0-0.conda"),
        (CONDA, "foo-1.0-py3-none-any.whl"),
        (build_zip([("a.txt", b"a")]), "foo-1.0.zip"),
        (build_zip([("folder/foo.dist-info/WHEEL", b"")]), "foo.zip"),
        (gzip.compress(b"a log", mtime=0), "server.log.gz"),
        (build_tar([(tarfile.TarInfo("package/package.json"), b"{}")]), "foo-1.0.0.tgz"),
        (build_tar([(tarfile.TarInfo("a/b/PKG-INFO"), b"{}")]), "foo.tgz"),
    ],
)
def test_what_is_something_else_is_left_alone(body: bytes, basename: str) -> None:
    assert not detects(body, basename)


def test_pkg_info_behind_a_mebibyte_is_not_looked_for() -> None:
    info = tarfile.TarInfo("foo-1.0/PKG-INFO")
    assert not detects(build_tar([(tarfile.TarInfo("foo-1.0/zeros"), bytes(2 << 20)), (info, b"")]), "snapshot.tgz")


@given(
    st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08"]),
    st.binary(max_size=200),
    st.sampled_from(["", "a.whl", "foo-1.0.tar.gz", "foo.tgz", "x.zip", "\n"]),
)
def test_no_bytes_make_detection_fail(magic: bytes, noise: bytes, basename: str) -> None:
    assert detects(magic + noise, basename) in (True, False)
