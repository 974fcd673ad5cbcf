"""Small files that would take a server minutes or a gigabyte to read, each refused or read at once."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from entrepot.plugin import Inspection, InvalidPackage, Patience
from entrepot_pypi.layout import find_dist_info
from entrepot_pypi.packagetype import PypiType
from entrepot_pypi.tararchive import member_cap
from entrepot_pypi.ziparchive import ZipArchive
from packaging.version import Version
from pypi_builder import build_metadata, build_wheel, build_zip

Inspect = Callable[[tuple[str, bytes]], Inspection]
SECONDS = 2.0
"""Of CPU. The slowest take one on a machine of their own, and half as long again beside a busy neighbour."""


def refusal(inspect: Inspect, built: tuple[str, bytes]) -> str:
    """The sentence of a refusal that comes soon."""
    began = time.process_time()
    with pytest.raises(InvalidPackage) as caught:
        inspect(built)
    assert time.process_time() - began < SECONDS
    return caught.value.message


def header(name: str, kind: bytes = tarfile.REGTYPE, body: bytes = b"") -> bytes:
    """One tar member, padded."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(body)
    return member.tobuf(tarfile.GNU_FORMAT) + body + b"\0" * (-len(body) % 512)


def numbered(count: int, said: bytes = b"") -> Iterator[bytes]:
    """So many empty members, each behind what is said of it. They take a twentieth of the time that `tarfile` needs to make them."""
    first = header("foo-1.0/00000")
    total = int(first[148:154], 8) - sum(b"00000")
    for number in range(count):
        digits = b"%05d" % number
        yield said + first[:8] + digits + first[13:148] + b"%06o" % (total + sum(digits)) + first[154:]


END = header("foo-1.0/PKG-INFO", body=build_metadata("foo", "1.0")) + b"\0" * 1024


def sdist(*pieces: bytes) -> tuple[str, bytes]:
    """An sdist whose tar begins with these."""
    return "foo-1.0.tar.gz", gzip.compress(b"".join((*pieces, END)), 6)


def gzipped(pieces: list[bytes]) -> bytes:
    """The pieces as gzip, each of them compressed once however often it comes."""
    packed: dict[bytes, bytes] = {}
    crc = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        if piece not in packed:
            compressor = zlib.compressobj(6, wbits=-zlib.MAX_WBITS)
            packed[piece] = compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)
    blocks = b"".join(packed[piece] for piece in pieces)
    return gzip.compress(b"")[:10] + blocks + b"\x03\0" + struct.pack("<II", crc, sum(map(len, pieces)))


def test_a_gap_of_any_length_in_entry_points_is_read_at_once(inspect: Inspect) -> None:
    text = b"[console_scripts]\nfoo" + b" " * 100_000 + b"bar\n"
    assert "entry_points.txt cannot be read" in refusal(inspect, build_wheel("foo", "1.0", files={"foo-1.0.dist-info/entry_points.txt": text}))


@pytest.mark.parametrize("end", ["\n", "\r", "\f"])
def test_entry_points_have_as_many_lines_as_take_little_time(inspect: Inspect, end: str) -> None:
    few, many = ("".join(f"[{number:x}]{end}" for number in range(most)).encode() for most in (5_000, 5_001))
    path = "foo-1.0.dist-info/entry_points.txt"
    spent(inspect, build_wheel("foo", "1.0", files={path: few}), SECONDS / 2)
    assert "entry_points.txt has more than 5000 lines" in refusal(inspect, build_wheel("foo", "1.0", files={path: many}))


def test_tags_have_as_many_lines_as_take_little_time(inspect: Inspect) -> None:
    few, many = (b"Wheel-Version: 1.0\n" + b"Tag: py3-none-any\n" * most for most in (4_999, 5_000))
    spent(inspect, build_wheel("foo", "1.0", wheel=few), SECONDS / 2)
    assert "WHEEL has more than 5000 lines" in refusal(inspect, build_wheel("foo", "1.0", wheel=many))


def test_tags_that_stand_for_millions_take_little_time(pypi: PypiType) -> None:
    """Though each of a hundred lines stands for the same ten thousand."""
    line = f"Tag: {'.'.join(f'py{number}' for number in range(100))}-{'.'.join(f'a{number}' for number in range(99))}-any\n".encode()
    basename, body = build_wheel("foo", "1.0", wheel=b"Wheel-Version: 1.0\n" + line * 100)
    began = time.process_time()
    assert ["too many of them" in objection.message for objection in pypi.inspect(io.BytesIO(body), basename).objections] == [True]
    assert time.process_time() - began < SECONDS / 2


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (b"".join(b"%x,,\n" % number for number in range(99_000)), "which is not in the wheel"),
        (b"foo.py,,\n" * 99_000, "no digest of 'foo.py'"),
        (b"foo.py,,\n" * 101_000, "more than 100000 lines"),
        (b"\n" * (15 << 20), "more than 100000 lines"),
        (b'"\n' * 99_000, "cannot be read"),
    ],
    ids=["absent files", "one file", "too many rows", "empty rows", "a name of many lines"],
)
def test_a_record_of_a_million_rows_takes_little_time(inspect: Inspect, record: bytes, sentence: str) -> None:
    assert sentence in refusal(inspect, build_wheel("foo", "1.0", record=record))


@pytest.mark.parametrize(
    "record", [b"," * (15 << 20), b",\r" * (7 << 20), "ab,ü,".encode() * (2 << 20)], ids=["empty", "carriage returns", "letters"]
)
def test_a_record_of_a_million_columns_takes_little_time_and_memory(inspect: Inspect, record: bytes) -> None:
    built = build_wheel("foo", "1.0", record=record)
    tracemalloc.start()
    try:
        assert "a line of more than 8192 bytes" in refusal(inspect, built)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Requires-Python", ",".join(["<1"] * 20_000)),
        ("Requires-Dist", "a; " + " or ".join(["os_name == 'a'"] * 10_000)),
        ("Provides-Extra", "a" * 100_000),
    ],
)
def test_a_header_that_installers_parse_has_a_bound(inspect: Inspect, name: str, value: str) -> None:
    assert "says too much in" in refusal(inspect, build_wheel("foo", "1.0", headers=[(name, value)]))


def test_a_license_expression_has_a_bound(inspect: Inspect) -> None:
    built = build_wheel("foo", "1.0", metadata_version="2.4", headers=[("License-Expression", " OR ".join(["MIT"] * 100_000))])
    assert "says too much in license-expression" in refusal(inspect, built)


def test_many_requirements_have_a_bound_together(inspect: Inspect) -> None:
    line = "a" + ",".join(["<1"] * 80)
    assert "says too much in requires-dist" in refusal(inspect, build_wheel("foo", "1.0", [line] * 1_000))
    assert len(inspect(build_wheel("foo", "1.0", [f"a{number}>=1" for number in range(3_000)])).attributes["requires_dist"]) == 3_000


def test_a_description_of_millions_of_lines_is_refused(inspect: Inspect) -> None:
    assert "lines" in refusal(inspect, build_wheel("foo", "1.0", description="\n" * 4_000_000))


def test_global_headers_of_a_tar_have_a_bound(inspect: Inspect) -> None:
    said = [b"".join(b"12 k%06d=\n" % (number * 70 + one) for one in range(70)) for number in range(200)]
    members = (header(f"foo-1.0/{number}") for number in range(3_000))
    assert "extended headers" in refusal(inspect, sdist(*(header("g", tarfile.XGLTYPE, body) for body in said), *members))


def test_one_global_header_as_git_archive_writes_it_is_fine(inspect: Inspect) -> None:
    comment = b"52 comment=0123456789012345678901234567890123456789\n"
    assert inspect(sdist(header("pax_global_header", tarfile.XGLTYPE, comment))).name == "foo"


def test_extended_headers_that_some_readers_take_quadratic_time_for_are_refused(inspect: Inspect) -> None:
    pairs = (header("x", tarfile.XHDTYPE, b"1" * 8191) + header(f"foo-1.0/{number}") for number in range(250))
    assert "damaged extended header" in refusal(inspect, sdist(*pairs))


def test_a_time_with_fractions_for_each_of_many_files_is_fine(inspect: Inspect) -> None:
    body = build_metadata("foo", "1.0")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name in ["PKG-INFO", *map(str, range(2_000))]:
            member = tarfile.TarInfo(f"foo-1.0/{name}")
            member.mtime, member.size = 1_700_000_000.25, len(body)  # as setuptools does
            archive.addfile(member, io.BytesIO(body))
    assert inspect(("foo-1.0.tar.gz", buffer.getvalue())).name == "foo"


# -- what is allowed, at its costliest ----------------------------------------------------------------------------------


def spent(inspect: Inspect, built: tuple[str, bytes], seconds: float = SECONDS) -> None:
    """Inspect a file of less than 10 MiB, within the time that one of its size may take."""
    assert len(built[1]) < 10 << 20
    began = time.process_time()
    assert inspect(built).name == "foo"
    assert time.process_time() - began < seconds


def many(members: int) -> tuple[str, bytes]:
    """A wheel of so many members, three of them its own."""
    return build_wheel("foo", "1.0", files={f"{number:x}": b"a" for number in range(members - 3)})


def test_as_many_members_as_a_zip_may_have_take_little_time(inspect: Inspect) -> None:
    spent(inspect, many(20_000))


@pytest.mark.parametrize("basename", ["foo-1.0-py3-none-any.whl", "foo-1.0.zip"])
def test_whose_file_it_is_shows_without_a_walk_through_its_members(pypi: PypiType, basename: str) -> None:
    """Though it names what conda packages hold, and might be one: to walk through as many takes ten times as long."""
    file = io.BytesIO(build_zip([*((f"foo-1.0/{number:x}", b"a") for number in range(4_000)), ("metadata.json", b"{}"), ("foo-1.0/PKG-INFO", b"")]))
    began = time.process_time()
    assert pypi.detect(file, basename)
    detected = time.process_time()
    assert len(ZipArchive(file, Patience(10)).members) == 4_002
    assert 3 * (detected - began) < time.process_time() - detected


def test_many_members_take_little_memory(inspect: Inspect) -> None:
    built = many(2_500)  # a twentieth of what is allowed, for tracing takes long
    tracemalloc.start()
    try:
        inspect(built)
        assert tracemalloc.get_traced_memory()[1] < (128 << 20) // 20
    finally:
        tracemalloc.stop()


def test_a_wheel_that_inflates_to_fifty_times_its_size_takes_little_time(inspect: Inspect) -> None:
    noise = random.Random(1).randbytes(200_000)
    spent(inspect, build_wheel("foo", "1.0", files={f"{number}": noise + bytes(9_000_000) for number in range(8)}), SECONDS / 6)


def test_more_members_than_a_small_tar_may_have_are_refused(inspect: Inspect) -> None:
    assert "more files than a package of its size" in refusal(inspect, sdist(header("foo-1.0/", tarfile.DIRTYPE) * 30_001))


def test_as_many_members_with_extended_headers_as_a_small_tar_may_have_take_little_time(inspect: Inspect) -> None:
    said = header("x", tarfile.XHDTYPE, b"80 comment=%s\n" % (b"1" * 68))
    spent(inspect, sdist(*numbered(29_990, said)))


def test_more_extended_headers_than_members_need_are_refused(inspect: Inspect) -> None:
    said = header("x", tarfile.XHDTYPE, b"6 a=b\n" * 10_000)
    assert "more files than a package of its size" in refusal(inspect, sdist(*(said + header(f"foo-1.0/{number}") for number in range(12))))


def test_much_that_inflates_from_little_and_many_extended_headers_take_little_time_together(inspect: Inspect) -> None:
    said = header("x", tarfile.XHDTYPE, b"28 mtime=1700000000.1234567\n")
    noise, zeros = random.Random(1).randbytes(9_300_000), tarfile.TarInfo("foo-1.0/zeros")
    zeros.size = 400 << 20
    members = b"".join(numbered(9_000, said))
    spent(inspect, ("foo-1.0.tar.gz", gzipped([header("foo-1.0/noise", body=noise) + zeros.tobuf(), *[bytes(1 << 20)] * 400, members + END])))


def test_names_of_a_tar_have_a_bound_together(inspect: Inspect) -> None:
    long = "x" * 90 + "/"
    names = (f"foo-1.0/{long * 11}{number:05}" for number in range(8_400))
    said = (header("n", tarfile.GNUTYPE_LONGNAME, f"{name}\0".encode()) + header("x") for name in names)
    assert "names in the tar archive" in refusal(inspect, sdist(*said))


def test_names_of_a_zip_have_a_bound_together(inspect: Inspect) -> None:
    files = {"x" * 900 + str(number): b"" for number in range(9_000)}
    assert "8 MiB for the list" in refusal(inspect, build_wheel("foo", "1.0", files=files, record=b""))


@pytest.mark.parametrize("part", ["a/", ".egg."], ids=["folders", "nearly packages"])
def test_long_names_in_the_data_folder_take_little_time(part: str) -> None:
    names = [f"foo-1.0.data/data/{part * (960 // len(part))}{number}" for number in range(8_000)]
    began = time.process_time()
    assert find_dist_info(["foo-1.0.dist-info/METADATA", *names], "foo", Version("1.0")) == "foo-1.0.dist-info"
    assert time.process_time() - began < SECONDS / 2


def test_a_larger_sdist_may_have_more_members_in_proportion_up_to_a_cap() -> None:
    assert [member_cap(size) for size in (0, 10 << 20, 20 << 20, 1 << 30)] == [30_000, 34_952, 69_905, 100_000]
