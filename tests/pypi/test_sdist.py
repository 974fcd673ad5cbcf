"""Source distributions: each rule with a file that breaks it."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection, InvalidPackage
from entrepot_pypi.packagetype import PypiType
from hypothesis import given, settings
from hypothesis import strategies as st
from pypi_builder import build_metadata, build_sdist, build_tar, build_zip

Inspect = Callable[[tuple[str, bytes]], Inspection]


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def test_a_good_sdist_is_read_whole(inspect: Inspect) -> None:
    read = inspect(build_sdist("Foo.Bar", "1.0", ["baz"], headers=[("Requires-Python", ">=3.8")]))
    assert (read.name, read.version, read.platform) == ("Foo.Bar", "1.0", "")
    assert read.attributes == {
        "packagetype": "sdist",
        "python_tag": "source",
        "metadata_version": "2.2",
        "requires_python": ">=3.8",
        "requires_dist": ["baz"],
        "license_files": [],
        "core_metadata": True,
    }


def test_static_metadata_is_served_beside_the_sdist(inspect: Inspect) -> None:
    [extra] = inspect(build_sdist("foo", "1.0")).extras
    assert extra.body == build_metadata("foo", "1.0", metadata_version="2.2")


@pytest.mark.parametrize(
    "built",
    [
        build_sdist("foo", "1.0", metadata_version="2.1"),
        build_sdist("foo", "1.0", headers=[("Dynamic", "Requires-Dist")]),
        build_sdist("foo", "1.0", metadata_version="1.2"),
    ],
    ids=["before 2.2", "dynamic", "old"],
)
def test_metadata_that_a_build_may_change_is_not_served(inspect: Inspect, built: tuple[str, bytes]) -> None:
    read = inspect(built)
    assert [extra.name for extra in read.extras] == ["pkg-info"]
    assert read.attributes["core_metadata"] is False


@pytest.mark.parametrize(
    "built",
    [
        build_sdist("foo", "1.0", format="zip"),
        build_sdist("foo-bar", "1.0", basename="foo-bar-1.0.tar.gz"),
        build_sdist("foo.bar", "1.0", basename="Foo.Bar-1.0.tar.gz", top="Foo.Bar-1.0"),
        build_sdist("foo", "1.0.post1", basename="foo-1.0-1.tar.gz"),
        build_sdist("foo", "1.0", basename="foo-1.0.0.tar.gz"),
        build_sdist("foo", "1.0+local", basename="foo-1.0+local.tar.gz"),
        build_sdist("foo", "1.0", top="./foo-1.0"),
        build_sdist("foo", "1.0", more=[(member("foo-1.0/folder", tarfile.DIRTYPE), b""), (member("foo-1.0/" + "long/" * 60 + "name"), b"x")]),
        build_sdist("foo", "1.0", files={"egg/PKG-INFO": b"another one, deeper"}),
        build_sdist("foo", "1.0", metadata_version="2.4", headers=[("License-File", "a/LICENSE")], files={"a/LICENSE": b"free"}),
    ],
    ids=lambda built: built[0],
)
def test_an_odd_but_good_sdist_is_taken(inspect: Inspect, built: tuple[str, bytes]) -> None:
    assert inspect(built).attributes["packagetype"] == "sdist"


@pytest.mark.parametrize("format", ["tar.gz", "zip"])
@pytest.mark.parametrize(
    ("tweaks", "sentence"),
    [
        ({"without": ["PKG-INFO"]}, "holds no foo-1.0/PKG-INFO"),
        ({"pkg_info": build_metadata("bar", "1.0")}, "PKG-INFO says that this is bar 1.0"),
        ({"pkg_info": build_metadata("foo", "1.1")}, "PKG-INFO says that this is foo 1.1"),
        ({"pkg_info": b"a" * (6 << 20)}, "larger than 5242880 bytes|taken for an attack"),
        ({"pkg_info": b""}, "Metadata-Version"),
        ({"files": {"../../evil.py": b""}}, "outside of the folder"),
        ({"metadata_version": "2.4", "headers": [("License-File", "LICENSE")]}, "license file 'LICENSE'"),
    ],
)
def test_an_sdist_that_is_not_what_it_says_is_refused(inspect: Inspect, format: str, tweaks: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        inspect(build_sdist("foo", "1.0", format=format, **tweaks))  # type: ignore[arg-type]


@pytest.mark.parametrize("other", ["bar-1.0/x.py", "x.py", "foo-1.0.py", "bar-1.0/PKG-INFO", "bar-1.0/"])
def test_a_zip_sdist_has_one_folder(inspect: Inspect, other: str) -> None:
    members = [("foo-1.0/PKG-INFO", build_metadata("foo", "1.0")), (other, b"")]
    for listed in (members, members[::-1]):
        with pytest.raises(InvalidPackage, match="holds one folder, name-version, with everything in it"):
            inspect(("foo-1.0.zip", build_zip(listed)))


@pytest.mark.parametrize(
    "basename",
    [
        "foo.tar.gz",
        "foo-one.tar.gz",
        "-1.0.tar.gz",
        "foo-1.0.tgz",
        "foo-1.0.tar.bz2",
        "foo-1.0.TAR.GZ",
        "fоo-1.0.tar.gz",
        "a/foo-1.0.tar.gz",
        "foo-1.0.tar.gz\n",
    ],
)
def test_a_filename_that_is_no_sdists_is_refused(inspect: Inspect, basename: str) -> None:
    with pytest.raises(InvalidPackage, match="filename"):
        inspect(build_sdist("foo", "1.0", basename=basename))


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (member("foo-1.0/link", tarfile.SYMTYPE, "/etc/passwd"), "stays in the folder"),
        (member("foo-1.0/link", tarfile.SYMTYPE, "../other"), "stays in the folder"),
        (member("foo-1.0/a/link", tarfile.SYMTYPE, "../../other"), "stays in the folder"),
        (member("foo-1.0/link", tarfile.SYMTYPE, "a/../b"), "stays in the folder"),
        (member("foo-1.0/link", tarfile.SYMTYPE, ""), "a link to nothing"),
        (member("foo-1.0/PKG-INFO/link", tarfile.SYMTYPE, "x"), "as a file and as a folder"),
        (member("foo-1.0//PKG-INFO"), "no empty parts"),
        (member("foo-1.0/./setup.py"), "no empty parts"),
        (member("foo-1.0/setup.py"), "'foo-1.0/setup.py' twice"),
        (member("foo-1.0/link", tarfile.LNKTYPE, "foo-1.0/PKG-INFO"), "is a hard link"),
        (member("foo-1.0/device", tarfile.CHRTYPE), "a special file"),
        (member("foo-1.0/pipe", tarfile.FIFOTYPE), "a special file"),
        (member("foo-1.0/old", tarfile.GNUTYPE_SPARSE), "a special file"),
        (member("/etc/passwd"), "outside of the folder"),
        (member("foo-1.0/../../evil"), "outside of the folder"),
        (member("foo-1.0/a\\b"), "backslashes"),
        (member("foo-1.0/a\nb"), "control characters"),
        (member("foo-1.0/a\udc80"), "names are UTF-8"),
        (member("foo-1.0/" + "x" * 1024), "characters at most"),
        (member("foo-1.0/" + "x" * 9000), "characters at most"),
        (member("foo-1.0/" + "x" * 70_000), "headers longer than any path"),
        (member("foo-1.0/file/"), "with the name of a folder"),
        (member("./"), "with the name of a folder"),
        (member("other/file"), "one folder"),
        (member("file"), "one folder"),
        (member("foo-1.0/PKG-INFO"), "PKG-INFO' twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_member_that_has_no_place_in_an_sdist_is_refused(inspect: Inspect, info: tarfile.TarInfo, sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        inspect(build_sdist("foo", "1.0", more=[(info, b"")]))


def test_nothing_is_unpacked_through_a_link(inspect: Inspect) -> None:
    with pytest.raises(InvalidPackage, match=r"'foo-1\.0/link' as a file and as a folder"):
        inspect(build_sdist("foo", "1.0", more=[(member("foo-1.0/link", tarfile.SYMTYPE, "docs"), b""), (member("foo-1.0/link/evil"), b"")]))


def test_links_that_stay_in_the_folder_are_taken(inspect: Inspect) -> None:
    more = [(member("foo-1.0/docs/README", tarfile.SYMTYPE, "../setup.py"), b""), (member("foo-1.0/here", tarfile.SYMTYPE, "."), b"")]
    assert inspect(build_sdist("foo", "1.0", more=more)).name == "foo"


def test_a_folder_may_be_listed_twice(inspect: Inspect) -> None:
    assert inspect(build_sdist("foo", "1.0", more=[(member("foo-1.0/docs", tarfile.DIRTYPE), b"")] * 2)).name == "foo"


def rewritten(body: bytes, format: int) -> bytes:
    """An sdist in another format of tar, with a folder and a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(body)) as source, tarfile.open(fileobj=buffer, mode="w", format=format) as target:
        for info in [member("foo-1.0", tarfile.DIRTYPE), *source, member("foo-1.0/link", tarfile.SYMTYPE, "setup.py")]:
            target.addfile(info, source.extractfile(info) if info.isreg() else None)
    return buffer.getvalue()


def in_version_7(tar: bytes) -> bytes:
    """Without the magic and what came with it; files are of no kind, and folders of a name with a slash."""
    old, at = bytearray(tar), 0
    while old[at]:
        size = int(old[at + 124 : at + 135], 8)
        if old[at + 156] in b"05":
            old[at + 156] = 0
        old[at + 257 : at + 512] = bytes(255)
        old[at + 148 : at + 156] = b" " * 8
        old[at + 148 : at + 156] = b"%06o\0 " % sum(old[at : at + 512])
        at += 512 + (size + 511) // 512 * 512
    return bytes(old)


def test_an_sdist_in_an_older_format_of_tar_is_taken(inspect: Inspect) -> None:
    basename, body = build_sdist("foo", "1.0")
    ustar, gnu = (rewritten(body, format) for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT))
    for tar in (ustar, gnu, in_version_7(ustar)):
        assert inspect((basename, gzip.compress(tar, 1))).name == "foo"


@pytest.mark.parametrize("record", [b"21 path=foo-1.0/evil\n", b"20 size=99999999999\n", b"22 linkpath=/etc/evil\n"])
def test_a_header_for_all_members_cannot_say_what_they_are(inspect: Inspect, record: bytes) -> None:
    info = member("pax_global_header", tarfile.XGLTYPE)
    with pytest.raises(InvalidPackage, match="all members one"):
        inspect(build_sdist("foo", "1.0", more=[(info, record)]))


def test_a_sparse_member_is_refused(inspect: Inspect) -> None:
    info = member("foo-1.0/sparse")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "foo-1.0/sparse", "GNU.sparse.realsize": "1000000000"}
    with pytest.raises(InvalidPackage, match="sparse"):
        inspect(build_sdist("foo", "1.0", more=[(info, b"0\n" + bytes(510))]))


@pytest.mark.parametrize("format", ["tar.gz", "zip"])
def test_an_sdist_that_is_cut_off_anywhere_is_refused(inspect: Inspect, format: str) -> None:
    basename, body = build_sdist("foo", "1.0", format=format)
    for length in range(4, len(body), 7):
        with pytest.raises(InvalidPackage):
            inspect((basename, body[:length]))


@pytest.mark.parametrize("trailing", [b"x", gzip.compress(b"more", mtime=0), bytes(600) + b"x", bytes(200_000) + b"x"])
def test_something_behind_the_gzip_stream_is_refused(inspect: Inspect, trailing: bytes) -> None:
    basename, body = build_sdist("foo", "1.0")
    with pytest.raises(InvalidPackage, match="stands behind the end"):
        inspect((basename, body + trailing))


def test_padding_behind_the_gzip_stream_is_tolerated(inspect: Inspect) -> None:
    basename, body = build_sdist("foo", "1.0")
    assert inspect((basename, body + bytes(100_000))).name == "foo"


def test_an_sdist_that_is_a_zip_as_well_is_refused(inspect: Inspect) -> None:
    basename, body = build_sdist("foo", "1.0")
    with pytest.raises(InvalidPackage, match="both a tar and a zip"):
        inspect((basename, body + build_zip([("a", b"b")])))


def test_a_damaged_header_does_not_pass_for_the_end(inspect: Inspect) -> None:
    basename, body = build_sdist("foo", "1.0")
    tar = bytearray(gzip.decompress(body))
    tar[tar.index(b"foo-1.0/setup.py")] ^= 0xFF
    with pytest.raises(InvalidPackage, match="damaged or cut short"):
        inspect((basename, gzip.compress(bytes(tar))))


def test_a_tar_bomb_is_refused_in_little_memory(inspect: Inspect) -> None:
    compressor = zlib.compressobj(9, wbits=31)
    tar = gzip.decompress(build_tar([(member("foo-1.0/zeros"), b"")]))[:512]
    header = bytearray(tar)
    header[124:136] = b"%011o\0" % (1 << 30)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    bomb = b"".join([compressor.compress(bytes(header)), *(compressor.compress(bytes(1 << 20)) for _ in range(80)), compressor.flush()])
    tracemalloc.start()
    try:
        with pytest.raises(InvalidPackage, match="taken for an attack"):
            inspect(("foo-1.0.tar.gz", bomb))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_gzip_header_without_an_end_is_refused(inspect: Inspect) -> None:
    with pytest.raises(InvalidPackage):
        inspect(("foo-1.0.tar.gz", b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"name" * 100_000))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 8000), st.binary(min_size=1, max_size=6))
def test_any_damage_to_the_tar_is_refused_with_a_sentence_or_harmless(position: int, noise: bytes) -> None:
    basename, body = build_sdist("foo", "1.0")
    tar = gzip.decompress(body)
    position %= len(tar)
    damaged = gzip.compress(tar[:position] + noise + tar[position + len(noise) :], 1)
    pypi = PypiType()
    pypi.detect(io.BytesIO(damaged), basename)
    try:
        read = pypi.inspect(io.BytesIO(damaged), basename)
    except InvalidPackage:
        return
    assert (read.name.lower(), pypi.canonical_version(read.version)) == ("foo", "1")
