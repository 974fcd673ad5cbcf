"""Spliced frames: every reader of one frame reads the text, whatever it is and wherever it was cut."""

from __future__ import annotations

import random

import pytest
import zstandard
from entrepot_conda.zstdframe import END, PADDING, blocks, header, raw, stretch
from hypothesis import given, settings
from hypothesis import strategies as st

texts = st.lists(
    st.binary(min_size=1, max_size=200) | st.sampled_from([b"a" * 5000, b"abcdefgh" * 700, b'{"sha256":"', bytes(range(256)) * 40]), max_size=8
)


def spliced(pieces: list[tuple[bytes, bool]]) -> tuple[bytes, bytes]:
    """A frame of texts, compressed or raw, and what it must decode to."""
    text = b"".join(piece if is_raw else PADDING + piece for piece, is_raw in pieces)
    return b"".join((header(len(text)), *(raw(piece) if is_raw else stretch(piece) for piece, is_raw in pieces), END)), text


def decoded(frame: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 20).decompressobj()
    text = reader.decompress(frame)
    assert reader.eof
    assert reader.unused_data == b""
    return text


@settings(max_examples=100)
@given(st.lists(st.tuples(st.one_of(texts.map(b"".join).filter(bool)), st.booleans()), max_size=6))
def test_any_texts_are_read_back(pieces: list[tuple[bytes, bool]]) -> None:
    frame, text = spliced(pieces)
    assert decoded(frame) == text
    assert zstandard.decompress(frame) == text
    assert zstandard.get_frame_parameters(frame).content_size == len(text)


def test_stretches_longer_than_the_window_are_read_back() -> None:
    source = random.Random(7)
    words = [source.randbytes(40).hex().encode() for _ in range(400)]
    long = b" ".join(source.choice(words) for _ in range(60_000))
    assert len(long) > 4 << 20
    frame, text = spliced([(b"{", True), (long, False), (long[::-1], False), (b"}" * 200_000, True)])
    assert decoded(frame) == text


def test_without_the_blocks_between_them_stretches_are_not_read_back() -> None:
    """The proof that the blocks are needed, and that the tests here would tell."""
    source = random.Random(1)
    words = [source.randbytes(6).hex().encode() for _ in range(30)]
    pieces = [b"a" * 300 + b"".join(source.choice(words) for _ in range(2000)) for _ in range(4)]  # one byte again and again: the offset is 1
    text = b"".join(pieces)
    naive = b"".join((header(len(text)), *(blocks(zstandard.ZstdCompressor(1).compress(piece)) for piece in pieces), END))
    with pytest.raises((zstandard.ZstdError, AssertionError)):
        assert decoded(naive) == text


def test_a_frame_with_a_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match="checksum"):
        blocks(zstandard.ZstdCompressor(write_checksum=True).compress(b"x"))
