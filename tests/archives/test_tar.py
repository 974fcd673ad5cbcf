"""The reader of tar archives: what programs write is read as they meant it, and what two readers would take differently is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

import pytest
from entrepot.plugin import InvalidPackage, TarMember, TarReader

BLOCK = 512
END = bytes(2 * BLOCK)
LONG = "folder/" * 30 + "file"


def header(name: str, kind: bytes = tarfile.REGTYPE, body: bytes = b"", *, target: str = "") -> bytes:
    """One member, padded."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(body), target
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % BLOCK)


def with_field(block: bytes, at: int, value: bytes, off: int = 0) -> bytes:
    """A header with other bytes somewhere, and the right sum, or one that is `off`."""
    changed = block[:at] + value + block[at + len(value) :]
    blank = changed[:148] + b" " * 8 + changed[156:]
    return blank[:148] + b"%06o\0 " % (sum(blank[:BLOCK]) + off) + blank[156:]


def pax(*records: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header; a record is `key=value`."""
    return header("pax", kind, b"".join(b"%d %s\n" % (len(record) + 4, record) for record in records))


def read(tar: bytes, *, most_members: int = 100, global_headers: bool = True) -> list[tuple[TarMember, bytes]]:
    """All members of an archive, and what they hold."""
    reader = TarReader(io.BytesIO(tar), most_members=most_members, global_headers=global_headers)
    members = [(member, reader.read()) for member in reader]
    reader.finish()
    return members


def refusal(*pieces: bytes, global_headers: bool = True) -> str:
    """The sentence."""
    with pytest.raises(InvalidPackage) as caught:
        read(b"".join(pieces) + END, global_headers=global_headers)
    return caught.value.message


def written(format: int, members: Iterable[tarfile.TarInfo]) -> bytes:
    """An archive by Python's `tarfile`, each of its files holding its own name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for info in members:
            body = info.name.encode() if info.isreg() else b""
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["ustar", "gnu", "pax"])
def test_what_a_program_writes_is_read_as_it_meant_it(format: int) -> None:
    names = ["a", "a/b.txt", "café/\N{SNOWMAN}", LONG, "d" * 90, *(["e" * 300 + "/f", "g" * 101] if format != tarfile.USTAR_FORMAT else [])]
    infos = [tarfile.TarInfo(name) for name in names]
    for name, kind, target in [("sub/dir", tarfile.DIRTYPE, ""), ("link", tarfile.SYMTYPE, "../x" * 20), ("hard", tarfile.LNKTYPE, "a")]:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mtime = kind, target, 1_700_000_000
        infos.append(info)
    read_back = read(written(format, infos))
    assert [(member.path, member.kind, member.size, body) for member, body in read_back[: len(names)]] == [
        (name, "file", len(name.encode()), name.encode()) for name in names
    ]
    assert [(member.path.rstrip("/"), member.kind, member.target) for member, _ in read_back[len(names) :]] == [
        ("sub/dir", "folder", ""),
        ("link", "symlink", "../x" * 20),
        ("hard", "hardlink", "a"),
    ]


def test_the_oldest_format_is_read() -> None:
    """Version 7 of Unix has no magic, no kinds of files, and folders by a slash."""
    old = with_field(header("a/b", body=b"x"), 257, bytes(8))
    folder = with_field(with_field(header("a/"), 156, b"\0"), 257, bytes(8))
    assert read(folder + with_field(old, 156, b"\0") + END) == [
        (TarMember("a/", "folder", "", 0), b""),
        (TarMember("a/b", "file", "", 1), b"x"),
    ]


def test_numbers_may_be_written_as_programs_write_them() -> None:
    spellings = [b"00000000003\0", b"00000000003 ", b"          3 ", b"3\0          ", b"3          \0", b"\x80" + bytes(10) + b"\3"]
    members = [with_field(header("a", body=b"xyz"), 124, spelling) for spelling in spellings]
    assert [body for _, body in read(b"".join(members) + END)] == [b"xyz"] * len(spellings)


@pytest.mark.parametrize(
    "spelling", [b"0000000_003\0", b"0000000o003\0", b"00000000+03\0", b"00000000008\0", b"\t0000000003\0", b"\xff" * 12, b"\x80" + b"\x01" * 11]
)
def test_numbers_that_are_none_are_refused(spelling: bytes) -> None:
    assert refusal(with_field(header("a"), 124, spelling))


def test_a_header_of_many_bytes_beyond_ascii_is_read() -> None:
    name = b"\xc3\xbf" * 50
    full = with_field(with_field(with_field(header("x"), 0, name), 157, name), 265, b"\xff" * 64)
    assert [member.path for member, _ in read(full + END)] == ["ÿ" * 50]


@pytest.mark.parametrize("off", [1, -1, 65521, -65521, 65520])
@pytest.mark.parametrize("name", [b"a", b"\xc3\xbf" * 50], ids=["ascii", "beyond"])
def test_a_header_with_another_sum_is_damaged(name: bytes, off: int) -> None:
    block = with_field(with_field(header("x"), 0, name), 157, name * (100 // len(name)))
    if sum(block) + off > 0:
        assert "damaged or cut short" in refusal(with_field(block, 0, name, off))
    assert read(with_field(block, 0, name) + END)


# -- global headers -----------------------------------------------------------------------------------------------------


def test_a_global_header_as_git_archive_writes_it_says_nothing_of_members() -> None:
    comment = pax(b"comment=" + b"0" * 40, kind=tarfile.XGLTYPE)
    assert [member.path for member, _ in read(comment + header("a") + comment + header("b") + END)] == ["a", "b"]


def test_a_global_header_is_a_special_file_where_nobody_asked_for_it() -> None:
    assert "special file" in refusal(pax(b"comment=of git archive", kind=tarfile.XGLTYPE), header("a"), global_headers=False)


@pytest.mark.parametrize("key", ["path", "linkpath", "size"])
def test_a_global_header_cannot_say_what_members_are(key: str) -> None:
    assert f"all members one {key}" in refusal(pax(f"{key}=1234567".encode(), kind=tarfile.XGLTYPE), header("a"))


def test_a_global_header_of_sparse_files_is_refused() -> None:
    assert "sparse file" in refusal(pax(b"GNU.sparse.name=x", kind=tarfile.XGLTYPE), header("a"))


def test_a_global_header_between_a_member_and_its_name_is_refused() -> None:
    said = pax(b"comment=something", kind=tarfile.XGLTYPE)
    assert "between a member" in refusal(pax(b"path=1234567"), said, header("a"))
    assert "between a member" in refusal(header("n", tarfile.GNUTYPE_LONGNAME, b"long\0"), said, header("a"))


def test_global_headers_have_a_bound_together() -> None:
    said = pax(b"comment=" + b"0" * 80, kind=tarfile.XGLTYPE)
    assert "more than 4096 bytes" in refusal(said * 45, header("a"))


# -- what depends on the reader -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "sentence"),
    [
        pytest.param([pax(b"path=1234567"), header("n", tarfile.GNUTYPE_LONGNAME, b"a\0"), header("a")], "two paths", id="two paths"),
        pytest.param([pax(b"linkpath=123"), pax(b"linkpath=456"), header("a", tarfile.SYMTYPE, target="b")], "two linkpaths", id="two links"),
        pytest.param([pax(b"size=1234567"), header("a", body=b"x")], "two sizes", id="two sizes"),
        pytest.param([header("n", tarfile.GNUTYPE_LONGNAME, b"\0"), header("a")], "empty path", id="an empty path"),
        pytest.param([header("a", tarfile.DIRTYPE, b"x" * BLOCK)], "folder with content", id="a folder that holds bytes"),
        pytest.param([header("a", tarfile.SYMTYPE, b"x", target="b")], "symlink with content", id="a link that holds bytes"),
        pytest.param([header("a", tarfile.SYMTYPE)], "link to nothing", id="a link to nothing"),
        pytest.param([header("a", tarfile.CHRTYPE)], "special file", id="a device"),
        pytest.param([with_field(header("a"), 345, b"times of old")], "format of old", id="a prefix that may be a time"),
        pytest.param([pax(b"path=1234567"), with_field(header("a/"), 156, b"\0")], "for a folder and some for a file", id="a folder once"),
        pytest.param([pax(b"path=123456/"), with_field(header("a"), 156, b"\0")], "for a folder and some for a file", id="a folder at last"),
        pytest.param([header("x", tarfile.XHDTYPE, b"99 path=too short\n"), header("a")], "damaged extended header", id="a length that lies"),
        pytest.param([header("x", tarfile.XHDTYPE, b"0 a=b\n"), header("a")], "damaged extended header", id="a length of nothing"),
        pytest.param([pax(b"path=1234567")], "damaged or cut short", id="a name of nothing"),
        pytest.param([header("a"), END, header("b")], "behind its end mark", id="more behind the end"),
    ],
)
def test_what_depends_on_the_reader_is_refused(pieces: list[bytes], sentence: str) -> None:
    assert sentence in refusal(*pieces)


def test_an_archive_without_an_end_is_refused() -> None:
    with pytest.raises(InvalidPackage, match="damaged or cut short"):
        read(header("a", body=b"x"))


class Blocks(io.BytesIO):
    """A stream whose every read gives one block."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Of 512 bytes at most."""
        return super().read(BLOCK)


def test_what_follows_the_end_mark_is_read_where_a_piece_ends_with_it() -> None:
    reader = TarReader(Blocks(header("a") + bytes(BLOCK) + b"x" * BLOCK), most_members=1)
    assert [member.path for member in reader] == ["a"]
    with pytest.raises(InvalidPackage, match="behind its end mark"):
        reader.finish()


@pytest.mark.parametrize("source", [Blocks, io.BytesIO])
def test_members_are_read_in_pieces_or_passed_over_however_the_stream_is_cut(source: type[io.BytesIO]) -> None:
    tar = header("a", body=b"x" * 1000) + header("b", body=b"y" * 1000) + header("c", body=b"z" * 1000) + END
    reader = TarReader(source(tar), most_members=3)
    assert [b"".join(reader.pieces()) if member.path != "b" else b"" for member in reader] == [b"x" * 1000, b"", b"z" * 1000]


def test_members_and_headers_are_counted() -> None:
    assert len(read(header("a") * 4 + END, most_members=4)) == 4
    for members in (header("a") * 5, pax(b"a=12345") * 8 + header("a"), pax(*[b"a=12345"] * 16) + header("a")):
        with pytest.raises(InvalidPackage, match="more files than a package of its size"):
            read(members + END, most_members=4)
