"""Files that cost processor time and give nothing for it: all that is done for one file has one bound."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from costly_deflate import costly_deflate
from entrepot.plugin import Inspection, InvalidPackage, Patience
from entrepot_pypi.allowance import seconds
from entrepot_pypi.metadata import describe
from entrepot_pypi.packagetype import PypiType
from entrepot_pypi.ziparchive import ZipArchive
from pypi_builder import build_metadata, build_record, build_sdist, build_wheel, build_zip
from raw_zip import RawMember, extra_field, raw_members, raw_zip

Inspect = Callable[[tuple[str, bytes]], Inspection]
FOLDER = "foo-1.0.dist-info"
SCRIPTS = {"foo.py": b"answer = 42\n", f"{FOLDER}/entry_points.txt": b"[console_scripts]\nfoo = foo:main\n"}
MANY_HEADERS = build_metadata("foo", "1.0", headers=[(f"X-{number % 90}", "é" * 90) for number in range(4_990)])
REQUIREMENTS = build_metadata("foo", "1.0", ["a; " + " or ".join(["os_name == 'b'"] * 400)] * 25)


def blown_up(built: tuple[str, bytes], **sizes: int) -> tuple[str, bytes]:
    """The same archive, with members that take so many bytes in it."""
    members = raw_members(built[1])
    for member in members:
        for ending, size in sizes.items():
            if member.name.endswith(ending.encode()):
                member.method, member.compressed = 8, costly_deflate(member.body, size)
    return built[0], raw_zip(members)


def tar_of(pkg_info: bytes, size: int) -> tuple[str, bytes]:
    """An sdist of this PKG-INFO and so many bytes that give nothing."""
    member = tarfile.TarInfo("foo-1.0/PKG-INFO")
    member.size = len(pkg_info)
    raw = member.tobuf() + pkg_info + bytes(-len(pkg_info) % 512 + 1024)
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = compressor.compress(raw) + compressor.flush(zlib.Z_FULL_FLUSH) + costly_deflate(b"", size)
    return "foo-1.0.tar.gz", gzip.compress(b"")[:10] + packed + struct.pack("<II", zlib.crc32(raw), len(raw))


WHEEL = build_wheel("foo", "1.0", files=SCRIPTS)
ZIP = build_sdist("foo", "1.0", format="zip")
MANY_EXTRAS = [RawMember(name=b"%d" % number, local_extra=extra_field(0x5555, b"") * 16_000) for number in range(150)]


@pytest.mark.parametrize(
    "built",
    [
        pytest.param(lambda: blown_up(WHEEL, **{"foo.py": 10 << 20}), id="a file of a wheel"),
        pytest.param(lambda: blown_up(WHEEL, METADATA=5_000_000, RECORD=3 << 20, WHEEL=1_000_000), id="all that a wheel is judged by"),
        pytest.param(lambda: blown_up(ZIP, **{"PKG-INFO": 5_000_000, "setup.py": 5_000_000}), id="a zip sdist"),
        pytest.param(lambda: blown_up(build_wheel("foo", "1.0", metadata=REQUIREMENTS), RECORD=6 << 20), id="requirements besides"),
        pytest.param(lambda: tar_of(MANY_HEADERS, 6 << 20), id="headers behind a tar"),
        pytest.param(lambda: (WHEEL[0], raw_zip([*MANY_EXTRAS, *raw_members(WHEEL[1])])), id="millions of extra fields"),
    ],
)
def test_no_file_of_ten_mebibytes_takes_two_seconds(pypi: PypiType, built: Callable[[], tuple[str, bytes]]) -> None:
    """Taken or refused: a faster machine may take what is within its time."""
    basename, body = built()
    began = time.process_time()
    try:
        said = pypi.inspect(io.BytesIO(body), basename).name
    except InvalidPackage as refusal:
        said = refusal.message
    assert said == "foo" or "more time to unpack" in said
    assert time.process_time() - began < 2


def test_patience_ends_within_a_member_and_between_members() -> None:
    file = io.BytesIO(blown_up(WHEEL, **{"foo.py": 4 << 20})[1])
    patient, impatient = ZipArchive(file, Patience(60)), ZipArchive(file, Patience(0.2))
    assert b"".join(patient.pieces(patient.members["foo.py"])) == b"answer = 42\n"
    began = time.thread_time()
    with pytest.raises(InvalidPackage, match="more time to unpack"):
        impatient.check(impatient.members["foo.py"])
    assert time.thread_time() - began < 0.4
    with pytest.raises(InvalidPackage, match="more time to unpack"):
        impatient.read(f"{FOLDER}/WHEEL", 1 << 20)
    with pytest.raises(InvalidPackage, match="more time to unpack"):
        ZipArchive(file, Patience(0))


def test_patience_ends_while_metadata_is_read() -> None:
    assert describe(MANY_HEADERS, "METADATA", Patience(60)).name == "foo"
    with pytest.raises(InvalidPackage, match="more time to unpack"):
        describe(MANY_HEADERS, "METADATA", Patience(0))


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ([("X-One", "a")] * 5_000, "5004 headers of 5 kinds; 5000 of 100 are allowed"),
        ([(f"X-{number}", "a") for number in range(97)], "101 headers of 101 kinds; 5000 of 100 are allowed"),
        ([("Keywords", "a," * (512 << 10))], "headers of more than 1048576 bytes"),
    ],
    ids=["many", "many kinds", "much in one"],
)
def test_metadata_has_as_many_headers_as_take_little_time(headers: list[tuple[str, str]], sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        describe(build_metadata("foo", "1.0", headers=headers), "METADATA")


def test_a_larger_file_may_take_more_time_in_proportion_up_to_a_cap() -> None:
    assert [seconds(mebibytes << 20) for mebibytes in (0, 10, 70, 700, 8 << 10)] == [1.5, 1.5, 10, 100, 300]


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.given += len(data)
        return data


LONG = "x" * (4 << 20)


@pytest.mark.parametrize(
    ("basename", "body"),
    [
        build_wheel("foo", "1.0", description=LONG, compression=zipfile.ZIP_STORED),
        ("foo-1.0.zip", build_zip([("foo-1.0/PKG-INFO", build_metadata("foo", "1.0", description=LONG))], zipfile.ZIP_STORED)),
    ],
    ids=["wheel", "zip sdist"],
)
def test_what_an_archive_is_judged_by_is_read_once(pypi: PypiType, basename: str, body: bytes) -> None:
    """And its digest is that of the very bytes that were judged."""
    file = Counted(body)
    assert pypi.inspect(file, basename).name == "foo"
    assert file.given < 1.1 * len(body)


@pytest.mark.parametrize(
    ("built", "name", "limit"),
    [
        (WHEEL, f"{FOLDER}/METADATA", 5 << 20),
        (WHEEL, f"{FOLDER}/WHEEL", 1 << 20),
        (WHEEL, f"{FOLDER}/entry_points.txt", 1 << 20),
        (WHEEL, f"{FOLDER}/RECORD", 16 << 20),
        (ZIP, "foo-1.0/PKG-INFO", 5 << 20),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) else None,
)
def test_what_takes_more_room_compressed_than_it_may_inflated_is_refused(inspect: Inspect, built: tuple[str, bytes], name: str, limit: int) -> None:
    with pytest.raises(InvalidPackage, match=f"'{name}' is larger than {limit} bytes in the archive"):
        inspect(blown_up(built, **{name: limit + 300}))


def test_the_costliest_files_take_less_than_128_mebibytes(tmp_path: Path) -> None:
    """Of the whole process, for zlib and what else is not Python takes memory too."""
    description = MANY_HEADERS + b"\n\n" + b"\xff" * (4 << 20)  # bytes that are no UTF-8 take four times their room
    files = {f"{'x' * 900}{number:x}": b"a" for number in range(8_500)}
    tags = b"Wheel-Version: 1.0\nTag: py3-none-any\n"
    record = build_record({**files, f"{FOLDER}/METADATA": description, f"{FOLDER}/WHEEL": tags}, f"{FOLDER}/RECORD")
    record += record[: (15 << 20) - len(record)].rpartition(b"\n")[0]
    costly = [
        build_wheel("foo", "1.0", files=files, metadata=description, wheel=tags, record=record, compression=zipfile.ZIP_STORED),
        build_wheel("foo", "1.0", description="é\n" * 99_000 + "é" * 2_000_000),
        build_sdist("foo", "1.0", files={f"{'x' * 900}{number}": b"" for number in range(9_000)}, pkg_info=description),
    ]
    for number, (basename, body) in enumerate(costly):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / basename).write_bytes(body)
    code = (
        "import pathlib, re, sys\n"
        "from entrepot_pypi.packagetype import PypiType\n"
        "def peak(): return int(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
        "before = peak()\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*/*')):\n"
        "    with path.open('rb') as file:\n"
        "        assert PypiType().inspect(file, path.name).name == 'foo'\n"
        "    print(path.parent.name, (peak() - before) >> 10)\n"
    )
    told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    grown = [int(line.split()[1]) for line in told.stdout.splitlines()]
    assert len(grown) == len(costly)
    assert max(grown) < 128, grown
