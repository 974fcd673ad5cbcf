"""Compressed streams, read piece by piece."""

from __future__ import annotations

import bz2
import gzip
import io
import random

import pytest
from entrepot.plugin import Gunzipped, Inflated, InvalidPackage, Patience, Readable, Unpacked

TEXT = random.Random(1).randbytes(30_000) + bytes(300_000)


def whole(stream: Readable, size: int = 1000) -> bytes:
    """All that a stream gives, no piece of it larger than was asked for."""
    pieces = list(iter(lambda: stream.read(size), b""))
    assert max(map(len, pieces), default=0) <= size
    return b"".join(pieces)


def gunzip(body: bytes) -> bytes:
    return whole(Gunzipped(io.BytesIO(body)))


@pytest.mark.parametrize("text", [b"", b"x", TEXT], ids=["nothing", "little", "much"])
@pytest.mark.parametrize("behind", [0, 1, 200_000])
def test_a_gzip_stream_and_the_zeros_behind_it_are_read(text: bytes, behind: int) -> None:
    assert gunzip(gzip.compress(text) + bytes(behind)) == text


@pytest.mark.parametrize("behind", [b"x", gzip.compress(b"more"), bytes(200_000) + b"x"], ids=["a byte", "a stream", "a byte behind zeros"])
def test_nothing_else_may_stand_behind_a_gzip_stream(behind: bytes) -> None:
    with pytest.raises(InvalidPackage, match="behind the end of the gzip stream"):
        gunzip(gzip.compress(TEXT) + behind)


def test_a_gzip_stream_that_is_cut_short_is_refused() -> None:
    body = gzip.compress(b"text" * 10)
    for length in range(len(body)):
        with pytest.raises(InvalidPackage, match="ends in the middle"):
            gunzip(body[:length])


@pytest.mark.parametrize("at", [0, 40, -8, -1])
def test_a_gzip_stream_that_is_damaged_is_refused(at: int) -> None:
    body = bytearray(gzip.compress(TEXT))
    body[at] ^= 0xFF
    with pytest.raises(InvalidPackage, match="gzip stream"):
        gunzip(bytes(body))


def test_patience_ends_with_blocks_that_give_nothing() -> None:
    body = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 50_000 + b"\x03\0" + bytes(8)
    with pytest.raises(InvalidPackage, match="more time to unpack"):
        Gunzipped(io.BytesIO(body), Patience(0)).read(1)
    assert Gunzipped(io.BytesIO(body), Patience(60)).read(1) == b""


def test_what_inflates_beyond_its_limit_is_refused() -> None:
    assert whole(Inflated(io.BytesIO(b"x" * 5000), 5000, "Too much.")) == b"x" * 5000
    with pytest.raises(InvalidPackage, match="Too much"):
        whole(Inflated(io.BytesIO(b"x" * 5001), 5000, "Too much."))


def test_streams_behind_each_other_are_read_as_one_unless_they_are_many_and_small() -> None:
    assert whole(Unpacked(io.BytesIO(bz2.compress(b"a" * 4000) + bz2.compress(b"b")), bz2.BZ2Decompressor)) == b"a" * 4000 + b"b"
    with pytest.raises(InvalidPackage, match="too many small compressed streams"):
        whole(Unpacked(io.BytesIO(bz2.compress(b"a") * 99), bz2.BZ2Decompressor))


def test_the_last_stream_has_an_end() -> None:
    with pytest.raises(EOFError):
        whole(Unpacked(io.BytesIO(bz2.compress(b"text")[:-1]), bz2.BZ2Decompressor))
