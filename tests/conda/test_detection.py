"""Which uploads conda claims."""

from __future__ import annotations

import bz2
import io
import zipfile

import pytest
from conda_builder import build_conda, tar
from conda_channel import conda
from hypothesis import given
from hypothesis import strategies as st


def claims(body: bytes, basename: str) -> bool:
    return conda.detect(io.BytesIO(body), basename)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_a_package_is_claimed_under_any_name(ext: str) -> None:
    basename, body = build_conda("foo", "1.0", ext=ext)
    assert claims(body, basename)
    assert claims(body, "download.bin")


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_a_broken_package_with_the_right_extension_is_claimed_so_that_inspection_can_say_what_is_wrong(ext: str) -> None:
    basename, body = build_conda("foo", "1.0", ext=ext)
    assert claims(body[:-40], basename)
    assert not claims(body[:-40], "download.bin")


@pytest.mark.parametrize("basename", ["foo-1.0-0.conda", "foo-1.0-0.tar.bz2"])
@pytest.mark.parametrize("body", [b"", b"PK", b"BZh9", b"a text that was renamed"])
def test_what_is_no_archive_is_not_claimed(basename: str, body: bytes) -> None:
    assert not claims(body, basename)


def test_a_wheel_is_not_claimed() -> None:
    wheel = zipped(**{"foo/__init__.py": b"", "foo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1", "metadata.json": b'{"generator": "flit"}'})
    assert not claims(wheel, "foo-1.0-py3-none-any.whl")


def test_an_sdist_and_a_plain_tarball_are_not_claimed() -> None:
    body = tar({"foo-1.0/PKG-INFO": b"Metadata-Version: 2.1", "foo-1.0/info/index.json": b"{}"})
    assert not claims(bz2.compress(body), "foo-1.0.tgz")
    assert not claims(body, "foo-1.0.tar.gz")


def test_detection_inflates_no_more_than_a_mebibyte() -> None:
    late = tar([("share/zeros", b"\0" * (2 << 20)), ("info/index.json", b"{}")])
    assert not claims(bz2.compress(late), "download.bin")


@given(st.binary(max_size=400), st.sampled_from(["x", "x.conda", "x.tar.bz2"]), st.sampled_from([b"", b"PK\x05\x06", b"PK\x03\x04", b"BZh91AY&SY"]))
def test_detection_survives_any_bytes(body: bytes, basename: str, magic: bytes) -> None:
    body = magic + body
    assert claims(body, basename) == (
        (basename == "x.conda" and body.startswith(b"PK\x03\x04")) or (basename == "x.tar.bz2" and body[:3] == b"BZh" and body[4:10] == b"1AY&SY")
    )
