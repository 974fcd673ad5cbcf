"""Zip archives that two readers read differently: by the directory, or by what stands before it. Each is refused, by a sentence that tells why."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from entrepot.plugin import Inspection, InvalidPackage, Patience
from entrepot_pypi.ziparchive import ZipArchive
from entrepot_pypi.zipmember import read_directory
from pypi_builder import build_wheel
from raw_zip import RawMember, deflated, extra_field, raw_members, raw_zip

Inspect = Callable[[tuple[str, bytes]], Inspection]
BODY = b"answer = 42\n"
FULL = 0xFFFFFFFF


def opened(*members: RawMember, **end: Any) -> ZipArchive:
    return ZipArchive(io.BytesIO(raw_zip([RawMember(name=b"first", body=b"first"), *members], **end)), Patience(10))


def read(*members: RawMember, **end: Any) -> bytes:
    """What the gate reads of the last member, once the whole archive was judged."""
    archive = opened(*members, **end)
    return archive.read(list(archive.members)[-1], 1 << 20)


def one(**said: Any) -> RawMember:
    return RawMember(**{"name": b"a.py", "body": BODY, **said})


def zip64(*values: int) -> bytes:
    return extra_field(1, struct.pack(f"<{len(values)}Q", *values))


def unicode_path(name: bytes, of: bytes = b"a.py") -> bytes:
    return extra_field(0x7075, b"\x01" + struct.pack("<L", zlib.crc32(of)) + name)


def test_the_raw_builder_builds_what_everybody_reads(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    raw = raw_zip(raw_members(body))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
    assert inspect((basename, raw)).name == "foo"


@pytest.mark.parametrize(
    "member",
    [
        one(),
        one(method=8),
        one(body=b"", method=8),
        one(extra=extra_field(0x5455, b"\x01abcd"), local_extra=extra_field(0x5455, b"\x03abcdabcd") + extra_field(0x7875, b"\x01")),
        one(local_extra=zip64(12, 12)),
        one(local_extra=zip64()),
        one(local_extra=zip64(12, 12), local={"size": FULL, "compressed_size": FULL}),
        one(extra=zip64(12, 12), central={"size": FULL, "compressed_size": FULL}),
        one(extra=zip64(12), central={"size": FULL}),
        one(extra=unicode_path(b"a.py")),
        one(name="ü.py".encode(), flags=0x800),
        one(flags=0x6),
        one(system=0, attributes=0x20),
        one(attributes=0),
    ],
    ids=lambda member: f"{member.name.decode()}-{member.method}-{len(member.extra)}-{len(member.local_extra)}-{sorted(member.local)}-{member.system}",
)
def test_what_real_tools_write_is_read(member: RawMember) -> None:
    assert read(member) == member.body


def test_a_folder_with_two_compressed_bytes_is_read_as_old_tools_wrote_it() -> None:
    assert opened(one(name=b"folder/", body=b"", method=8, attributes=0o040755 << 16), one()).members["folder/"].is_folder


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([one(listed=False), one(name=b"b.py")], "does not follow what stands before it"),
        ([one(), one(name=b"b.py", central={"offset": 0})], "overlaps another member"),
        ([one(), one(name=b"b.py", central={"offset": 35})], "overlaps another member"),
        ([one(behind=b"hidden"), one(name=b"b.py")], "does not follow what stands before it"),
        ([one(behind=raw_zip([one()])), one(name=b"b.py")], "does not follow what stands before it"),
        ([one(behind=b"PK\x07\x08" + bytes(12)), one(name=b"b.py")], "does not follow"),
        ([one(behind=b"x")], "something stands between them"),
        ([one(central={"compressed_size": 11, "size": 11})], "another size, checksum or kind"),
        ([one(), one(), one(name=b"b.py")], "'a.py' twice"),
        ([one(name=b"a.py/b.py"), one()], "'a.py' as a file and as a folder"),
        ([one(name=b"a.py/", body=b""), one()], "'a.py' as a file and as a folder"),
        ([one(name=b"a.py!"), one(name=b"a.py/c/d"), one()], "'a.py' as a file and as a folder"),
        ([one(local={"name": b"b.py"})], "has another name in the archive"),
        ([one(local={"flags": 0x2})], "another size, checksum or kind"),
        ([one(local={"method": 8})], "another size, checksum or kind"),
        ([one(local={"crc": 1})], "another size, checksum or kind"),
        ([one(local={"size": 11})], "another size, checksum or kind"),
        ([one(local={"compressed_size": 0})], "another size, checksum or kind"),
    ],
    ids=range(18),
)
def test_the_directory_and_the_headers_say_the_same_and_nothing_stands_between(members: list[RawMember], sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        opened(*members)


@pytest.mark.parametrize(
    ("member", "sentence"),
    [
        (one(flags=0x8, behind=b"PK\x07\x08" + bytes(12)), "data descriptor"),
        (one(flags=0x8, local={"crc": 0, "size": 0, "compressed_size": 0}, method=8), "data descriptor"),
        (one(local={"flags": 0x8}), "another size, checksum or kind"),
        (one(flags=0x1), "encrypted"),
        (one(flags=0x20), "flags 0x20"),
        (one(flags=0x2000), "flags 0x2000"),
        (one(method=12), "only stored and deflated"),
        (one(method=8, compressed=deflated(BODY), attributes=0o120777 << 16), "a link or a device"),
        (one(attributes=0o060644 << 16), "a link or a device"),
        (one(comment=b"hello"), "has a comment"),
        (one(central={"disk": 1}), "size that cannot be"),
        (one(name=b"folder/"), "size that cannot be"),
        (one(central={"size": 11}), "size that cannot be"),
        (one(name="ü.py".encode()), "marked as such"),
        (one(name=b"\xff.py", flags=0x800), "marked as such"),
        (one(name=b"a//b.py"), "no empty parts"),
        (one(name=b"./a.py"), "no empty parts"),
        (one(name=b"a/./b.py"), "no empty parts"),
        (one(name=b""), "outside of the folder"),
        (one(name=b"a\x00.py"), "without control characters"),
        (one(name=b"a\x7f.py"), "without control characters"),
    ],
    ids=range(21),
)
def test_what_only_some_readers_understand_is_refused(member: RawMember, sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        opened(member)


@pytest.mark.parametrize(
    ("member", "sentence"),
    [
        (one(extra=zip64(12, 12) * 2), "two ZIP64"),
        (one(local_extra=zip64(12, 12) * 2), "two ZIP64"),
        (one(extra=zip64(12, 99)), "other sizes in its ZIP64"),
        (one(local_extra=zip64(99, 12)), "other sizes in its ZIP64"),
        (one(local_extra=zip64(12, 12, 0)), "other sizes in its ZIP64"),
        (one(extra=extra_field(1, b"short")), "other sizes in its ZIP64"),
        (one(central={"size": FULL, "compressed_size": FULL}), "no ZIP64 field that fits"),
        (one(extra=zip64(12, 12), central={"size": FULL}), "no ZIP64 field that fits"),
        (one(extra=zip64(12), central={"size": FULL, "compressed_size": FULL}), "no ZIP64 field that fits"),
        (one(local={"size": FULL}), "no ZIP64 field that fits"),
        (one(extra=unicode_path(b"evil.py")), "another name in a Unicode path"),
        (one(local_extra=unicode_path(b"evil.py")), "another name in a Unicode path"),
        (one(extra=unicode_path(b"a.py", of=b"b.py")), "another name in a Unicode path"),
        (one(extra=unicode_path(b"a.py") * 2), "two Unicode path|or two Unicode"),
        (one(extra=b"\x55\x54\xff\x00abc"), "extra fields that cannot be read"),
        (one(extra=b"abc"), "extra fields that cannot be read"),
        (one(local_extra=b"\x55"), "extra fields that cannot be read"),
    ],
    ids=range(17),
)
def test_extra_fields_change_nothing_that_another_reader_would_not_see(member: RawMember, sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        opened(member)


@pytest.mark.parametrize("more", [b"", b"more"], ids=["right before the end", "further in front"])
@pytest.mark.parametrize("record", [b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"])
def test_no_extra_field_looks_like_a_record_of_the_end(record: bytes, more: bytes) -> None:
    """A locator that is the end of the directory's last record leads newer Pythons to another directory, inside of a stored member."""
    field = extra_field(0xCAFE, record + struct.pack("<LQL", 0, 35, 1) + more)
    sentence = "a ZIP64 locator and no ZIP64 end" if record == b"PK\x06\x07" and not more else "looks like the archive's end"
    with pytest.raises(InvalidPackage, match=sentence):
        opened(one(extra=field))
    with pytest.raises(InvalidPackage, match="looks like the archive's end"):
        opened(one(local_extra=field))


def test_a_locator_in_a_file_too_short_for_it_is_refused() -> None:
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    with pytest.raises(InvalidPackage, match="no ZIP64 end"):
        ZipArchive(io.BytesIO(b"PK\x03\x04" + locator + raw_zip([])), Patience(10))


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ({"count": 1}, "disagree on the number"),
        ({"count": 3}, "disagree on the number"),
        ({"here": 1}, "goes on in other files"),
        ({"disk": 1}, "goes on in other files"),
        ({"before_directory": b"hidden"}, "something stands between them"),
        ({"before_directory": one().in_directory(0)}, "something stands between them"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_the_end_tells_the_truth_of_the_directory(end: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        opened(one(), **end)


@pytest.mark.parametrize("system", [0, 2, 3, 16, 19, 30])
@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_a_device_is_one_by_whatever_system_it_says_it_was_made(system: int, kind: int) -> None:
    """`unzip` makes links of BeOS, of Atheos, of VMS, too."""
    with pytest.raises(InvalidPackage, match="a link or a device"):
        opened(one(body=b"/etc/passwd", system=system, attributes=(kind | 0o777) << 16))
    assert read(one(system=system, attributes=(stat.S_IFREG | 0o755) << 16)) == BODY


def test_a_directory_holds_members_and_nothing_else() -> None:
    record = one().in_directory(0)
    assert [member.name for member in read_directory(record * 2)] == ["a.py", "a.py"]
    for spoiled in (record + b"PK\x05\x05" + bytes(60), record + b"x", record[:-1], record + record[:45]):
        with pytest.raises(InvalidPackage, match=r"no member|cut off"):
            list(read_directory(spoiled))


@pytest.mark.parametrize(
    ("member", "sentence"),
    [
        (one(crc=1), "checksum"),
        (one(method=8, compressed=deflated(BODY) + b"x"), "something stands behind"),
        (one(method=8, compressed=deflated(BODY)[:-3]), "end in the middle"),
        (one(method=8, compressed=b"\xff" * 9), "damaged"),
        (one(method=8, compressed=deflated(BODY * 2)), "size or its checksum"),
        (one(method=8, size=13), "size or its checksum"),
        (one(method=8, size=0), "size or its checksum"),
    ],
    ids=["wrong sum", "more behind", "cut off", "no deflate", "longer", "shorter", "none"],
)
def test_a_member_is_what_its_headers_say(member: RawMember, sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        read(member)


def test_a_member_of_several_gibibytes_is_judged_by_its_zip64_field() -> None:
    [member] = read_directory(one(extra=zip64(3 << 30, 2 << 30), central={"size": FULL, "compressed_size": FULL}, method=8).in_directory(7))
    assert (member.size, member.compressed_size, member.offset) == (3 << 30, 2 << 30, 7)
    [member] = read_directory(one(extra=zip64(5 << 30), central={"offset": FULL}).in_directory(0))
    assert member.offset == 5 << 30
