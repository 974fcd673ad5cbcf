"""The archive that a wheel is: each rule with a file that breaks it."""

from __future__ import annotations

import io
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection, InvalidPackage
from entrepot_pypi.packagetype import PypiType
from hypothesis import given, settings
from hypothesis import strategies as st
from pypi_builder import build_metadata, build_wheel

Inspect = Callable[[tuple[str, bytes]], Inspection]
FOLDER = "foo-1.0.dist-info"


def patched(built: tuple[str, bytes], old: bytes, new: bytes, count: int = -1) -> tuple[str, bytes]:
    """The same file with some of its bytes changed."""
    basename, body = built
    assert old in body
    return basename, body.replace(old, new, count)


@pytest.mark.parametrize(
    "name",
    ["../evil.py", "/etc/evil", "a/../../evil", "a\\evil.py", "C:/evil.py", "a\x00b.py", "a\nb.py", "x" * 1025],
    ids=lambda name: repr(name[:20]),
)
def test_a_member_that_could_leave_its_folder_is_refused(inspect: Inspect, name: str) -> None:
    raw = name.replace("\\", "/").replace("\x00", "_")  # zipfile does not write these: they are put in afterwards
    built = build_wheel("foo", "1.0", files={raw: b"evil"})
    if raw != name:
        built = patched(built, raw.encode(), name.encode())
    with pytest.raises(InvalidPackage, match="The archive holds"):
        inspect(built)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["foo.py", f"{FOLDER}/METADATA", f"{FOLDER}/RECORD"])
def test_a_member_that_is_there_twice_is_refused(inspect: Inspect, name: str) -> None:
    with pytest.raises(InvalidPackage, match="twice"):
        inspect(build_wheel("foo", "1.0", more=[(name, b"other")]))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_installers_do_not_read_is_refused(inspect: Inspect, compression: int) -> None:
    with pytest.raises(InvalidPackage, match="only stored and deflated"):
        inspect(build_wheel("foo", "1.0", compression=compression))


def test_an_encrypted_member_is_refused(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    at = body.index(b"PK\x01\x02") + 8
    with pytest.raises(InvalidPackage, match="encrypted"):
        inspect((basename, body[:at] + b"\x01" + body[at + 1 :]))


@pytest.mark.parametrize(
    "spoil", [lambda body: b"x" + body, lambda body: body + b"x", lambda body: body[:-1], lambda body: body[: len(body) // 2], lambda body: body[:4]]
)
def test_a_wheel_with_something_before_or_behind_or_cut_off_is_refused(inspect: Inspect, spoil: Callable[[bytes], bytes]) -> None:
    basename, body = build_wheel("foo", "1.0")
    with pytest.raises(InvalidPackage):
        inspect((basename, spoil(body)))


def test_an_archive_comment_is_tolerated(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    assert inspect((basename, body[:-2] + struct.pack("<H", 5) + b"hello")).name == "foo"


def test_bytes_before_the_first_member_are_refused_although_the_offsets_are_right(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    buffer = io.BytesIO(b"PK\x03\x04 hidden ")
    buffer.seek(0, 2)
    with zipfile.ZipFile(io.BytesIO(body)) as source, zipfile.ZipFile(buffer, "a") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(InvalidPackage, match="does not follow what stands before it"):
        inspect((basename, buffer.getvalue()))


def test_members_that_overlap_are_refused(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0", compression=zipfile.ZIP_STORED)
    second = body.index(b"PK\x01\x02", body.index(b"PK\x01\x02") + 4)
    with pytest.raises(InvalidPackage, match="overlap"):
        inspect((basename, body[: second + 42] + struct.pack("<L", 0) + body[second + 46 :]))


def test_a_wrong_count_of_members_is_refused(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    with pytest.raises(InvalidPackage, match="disagree on the number"):
        inspect((basename, body[:-14] + struct.pack("<HH", 1, 1) + body[-10:]))


def with_zip64_end(
    built: tuple[str, bytes], members: int, length: int | None = None, small: tuple[int, int, int, int] = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
) -> tuple[str, bytes]:
    """The same wheel with the ZIP64 records that a very large one has, and `small` in the fields that they replace."""
    basename, body = built
    directory, offset = struct.unpack("<LL", body[-10:-2])
    end = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, members, members, length or directory, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) - 22, 1)
    return basename, body[:-22] + end + locator + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, *small, 0)


def test_a_zip64_wheel_is_taken(inspect: Inspect) -> None:
    assert inspect(with_zip64_end(build_wheel("foo", "1.0"), 4)).name == "foo"


def test_zip64_records_may_be_there_though_the_small_fields_would_do(inspect: Inspect) -> None:
    """As Python writes archives of 2 to 4 GiB."""
    built = build_wheel("foo", "1.0")
    directory, offset = struct.unpack("<LL", built[1][-10:-2])
    assert inspect(with_zip64_end(built, 4, small=(4, 4, directory, offset))).name == "foo"
    for small in ((5, 5, directory, offset), (4, 4, directory - 1, offset), (4, 4, directory, offset + 1)):
        with pytest.raises(InvalidPackage, match="disagree"):
            inspect(with_zip64_end(built, 4, small=small))


def test_a_zip64_locator_that_points_elsewhere_is_refused(inspect: Inspect) -> None:
    """Some readers follow it, others take the record that lies before it."""
    basename, body = with_zip64_end(build_wheel("foo", "1.0"), 4)
    locator = body.rindex(b"PK\x06\x07")
    with pytest.raises(InvalidPackage, match="elsewhere"):
        inspect((basename, body[: locator + 8] + struct.pack("<Q", 0) + body[locator + 16 :]))


@pytest.mark.parametrize(
    ("at", "value"),
    [(4, struct.pack("<Q", 45)), (16, b"\1"), (20, b"\1"), (24, struct.pack("<Q", 3)), (60, b"\1"), (72, b"\2")],
    ids=["a longer end", "its disk", "the directory's disk", "members elsewhere", "the locator's disk", "many disks"],
)
def test_a_zip64_end_that_says_more_than_installers_read_is_refused(inspect: Inspect, at: int, value: bytes) -> None:
    basename, body = with_zip64_end(build_wheel("foo", "1.0"), 4)
    at += body.rindex(b"PK\x06\x06")
    with pytest.raises(InvalidPackage, match="ZIP64 end says more than installers read"):
        inspect((basename, body[:at] + value + body[at + len(value) :]))


@pytest.mark.parametrize(("members", "length"), [(65_536, None), (4, 1 << 40)])
def test_a_directory_that_is_too_large_is_refused_before_it_is_read(inspect: Inspect, members: int, length: int | None) -> None:
    with pytest.raises(InvalidPackage, match="too many members"):
        inspect(with_zip64_end(build_wheel("foo", "1.0"), members, length))


def test_zip64_records_that_are_not_there_are_refused(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    with pytest.raises(InvalidPackage, match="ZIP64 records"):
        inspect((basename, body[:-10] + struct.pack("<LL", 0xFFFFFFFF, 0xFFFFFFFF) + body[-2:]))


def test_a_file_that_is_both_zip_and_tar_is_refused(inspect: Inspect) -> None:
    """The first member's extra field makes room for the rest of a tar header."""
    header = bytearray(512)
    header[100:148] = b"0000644\0" * 3 + b"00000000000\0" * 2
    header[156:157] = b"0"
    header[257:265] = b"ustar\x0000"
    info = zipfile.ZipInfo("foo.py", (1980, 1, 1, 0, 0, 0))
    body = b""
    for checksum in (b"        ", b""):
        header[148:156] = checksum or b"%06o\0 " % sum(body[:512])
        info.extra = struct.pack("<HH", 0x6666, 472) + bytes(header[40:])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(info, b"")
        body = buffer.getvalue()
    assert tarfile.TarInfo.frombuf(body[:512], "utf-8", "surrogateescape").isreg()
    with pytest.raises(InvalidPackage, match="both a zip and a tar"):
        inspect(("foo-1.0-py3-none-any.whl", body))


# -- bombs ------------------------------------------------------------------------------------------------------------


def zeros(megabytes: int) -> bytes:
    return bytes(megabytes << 20)


def test_metadata_that_inflates_to_256_mib_is_refused_in_little_memory(inspect: Inspect) -> None:
    built = build_wheel("foo", "1.0", metadata=build_metadata("foo", "1.0") + zeros(256), more=[("ballast", bytes(range(256)) * 64)])
    tracemalloc.start()
    try:
        with pytest.raises(InvalidPackage):
            inspect(built)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_metadata_over_the_limit_is_refused_where_the_archive_is_no_bomb(inspect: Inspect) -> None:
    built = build_wheel("foo", "1.0", metadata=build_metadata("foo", "1.0") + b"a" * (6 << 20), compression=zipfile.ZIP_STORED)
    with pytest.raises(InvalidPackage, match="larger than 5242880 bytes"):
        inspect(built)


def test_metadata_that_lies_about_its_size_is_not_inflated_beyond_it(inspect: Inspect) -> None:
    metadata = build_metadata("foo", "1.0") + zeros(64)
    built = patched(build_wheel("foo", "1.0", metadata=metadata), struct.pack("<L", len(metadata)), struct.pack("<L", 100))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidPackage):
            inspect(built)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_anywhere_in_the_archive_is_refused(inspect: Inspect) -> None:
    with pytest.raises(InvalidPackage, match="taken for an attack"):
        inspect(build_wheel("foo", "1.0", files={"zeros": zeros(65)}))


def test_a_member_that_is_damaged_is_refused(inspect: Inspect) -> None:
    built = patched(build_wheel("foo", "1.0", compression=zipfile.ZIP_STORED), b"answer = 42", b"answer = 43")
    with pytest.raises(InvalidPackage, match=r"'foo.py' in the archive is damaged"):
        inspect(built)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 900), st.binary(min_size=1, max_size=6), st.booleans())
def test_any_damage_is_refused_with_a_sentence_or_harmless(position: int, noise: bytes, insert: bool) -> None:
    basename, body = build_wheel("foo", "1.0", compression=zipfile.ZIP_STORED)
    position %= len(body)
    damaged = body[:position] + noise + body[position + (0 if insert else len(noise)) :]
    pypi = PypiType()
    pypi.detect(io.BytesIO(damaged), basename)
    try:
        read = pypi.inspect(io.BytesIO(damaged), basename)
    except InvalidPackage:
        return
    assert (read.name, read.version) == ("foo", "1.0")
