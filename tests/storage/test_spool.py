"""Bytes on their way in."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from entrepot.errors import Unavailable
from entrepot.storage.spool import IN_MEMORY, Spool
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

LIMITED = """
import resource, sys
from pathlib import Path
from entrepot.errors import Unavailable
from entrepot.storage.spool import IN_MEMORY, Spool

resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
folder = Path(sys.argv[1])
spool = Spool(folder)
spool.write(b"x" * 1_200_000)
assert [file.stat().st_size for file in folder.iterdir()] == [1_200_000]
try:
    spool.write(b"x" * 1_200_000)
except Unavailable as error:
    print(error.message)
print(len(list(folder.iterdir())))
spool.discard()
"""


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(chunks=st.lists(st.binary(max_size=5000) | st.integers(0, 200_000).map(bytes), max_size=8))
def test_the_digests_are_those_of_all_chunks_together(tmp_path: Path, chunks: list[bytes]) -> None:
    body = b"".join(chunks)
    spool = Spool(tmp_path)
    for chunk in chunks:
        spool.write(chunk)
    with spool.open() as file:
        assert file.read() == body
    assert spool.size == len(body)
    assert spool.sha256 == hashlib.sha256(body).hexdigest()
    assert spool.md5 == hashlib.md5(body).hexdigest()
    assert spool.blake2b == hashlib.blake2b(body, digest_size=32).hexdigest()
    spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_made_before_the_first_write(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with spool.open() as file:
        assert file.read() == b""
    spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_each_open_reads_from_the_start_while_writing_goes_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"abc")
    with spool.open() as first, spool.open() as second:
        assert first.read(2) == b"ab"
        assert second.read() == b"abc"
    spool.write(b"def")
    with spool.open() as again:
        assert again.read() == b"abcdef"
    spool.write(bytes(IN_MEMORY))
    with spool.open() as large:
        assert large.read() == b"abcdef" + bytes(IN_MEMORY)


def test_few_bytes_are_on_disk_when_they_are_synced_and_many_from_the_first(tmp_path: Path) -> None:
    few, many = Spool(tmp_path), Spool(tmp_path)
    few.write(b"few")
    assert list(tmp_path.iterdir()) == []
    few.sync()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"few"]
    few.discard()
    many.write(bytes(IN_MEMORY + 1))
    assert [file.stat().st_size for file in tmp_path.iterdir()] == [IN_MEMORY + 1]
    many.discard()


def test_a_spool_may_be_discarded_again_but_not_used_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"abc")
    spool.discard()
    spool.discard()
    assert list(tmp_path.iterdir()) == []
    for use in (lambda: spool.write(b"d"), spool.open, spool.sync):
        with pytest.raises(ValueError, match="put or discarded"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_unavailable_and_leaves_no_file(tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk: it needs no privilege, and the write that reaches it is cut short as on a full disk."""
    answer = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True)
    message, left = answer.stdout.splitlines()
    assert message.startswith("The server's disk is full; nothing was stored.")
    assert left == "0"


def test_a_folder_that_went_away_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot write to its storage"):
        Spool(tmp_path / "gone").write(bytes(IN_MEMORY + 1))
