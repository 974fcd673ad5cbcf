"""Archives that a server must refuse, each built here and each refused with a sentence."""

from __future__ import annotations

import bz2
import io
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
import zstandard
from conda_builder import build_conda, index_json, info_documents, pack_conda, tar
from conda_channel import conda
from conda_package_streaming.create import conda_builder
from entrepot.plugin import Inspection, InvalidPackage
from hypothesis import given
from hypothesis import strategies as st

stem = "foo-1.0-0"
both = pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])


def inspect(body: bytes, basename: str = f"{stem}.conda") -> Inspection:
    """From a file as the server's: a real one fails in other ways than one in memory."""
    with TemporaryFile() as file:
        file.write(body)
        return conda.inspect(file, basename)


def refusal(body: bytes, basename: str = f"{stem}.conda") -> str:
    with pytest.raises(InvalidPackage) as caught:
        inspect(body, basename)
    return caught.value.message


def pack(members: Iterable[tuple[str | tarfile.TarInfo, bytes]], ext: str = ".conda") -> tuple[bytes, str]:
    """An archive whose metadata are these tar members, and its name."""
    body = tar(members)
    return (pack_conda(stem, info=body) if ext == ".conda" else bz2.compress(body)), stem + ext


def good() -> list[tuple[str | tarfile.TarInfo, bytes]]:
    documents = info_documents(index_json("foo", "1.0", "0", "noarch", (), {}), {})
    return [(f"info/{name}", body) for name, body in documents.items()]


def members() -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(pack(good())[0])) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


# -- the outer archive ------------------------------------------------------------------------------------------------


@both
@given(st.data())
def test_a_package_cut_short_anywhere_is_refused(ext: str, data: st.DataObject) -> None:
    basename, body = build_conda("foo", "1.0", ext=ext)
    refusal(body[: data.draw(st.integers(0, len(body) - 1))], basename)


@both
@given(st.data())
def test_a_package_with_any_bytes_changed_is_refused_or_read_but_breaks_nothing(ext: str, data: st.DataObject) -> None:
    basename, body = build_conda("foo", "1.0", ext=ext, files={"a": b"a"})
    spoiled = bytearray(body)
    for position, value in data.draw(st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)), min_size=1, max_size=6)):
        spoiled[position] = value
    with suppress(InvalidPackage):
        assert inspect(bytes(spoiled), basename).name == "foo"


def test_a_large_bzip2_package_cut_short_behind_its_metadata_is_refused() -> None:
    noise = zstandard.ZstdCompressor(level=1).compress(bytes(range(256)) * 4096)
    basename, body = build_conda("foo", "1.0", ext=".tar.bz2", files={f"share/{number}": noise * 50 for number in range(40)})
    assert inspect(body, basename).version == "1.0"
    assert "cut short" in refusal(body[:-1], basename)


def test_text_is_refused() -> None:
    assert "no conda package" in refusal(b"not a package at all")


def test_a_fourth_member_is_refused() -> None:
    body = pack_conda(stem, info=b"", members=[*members(), ("extra.txt", b"")])
    assert "holds exactly metadata.json" in refusal(body)


def test_a_missing_member_is_refused() -> None:
    body = pack_conda(stem, info=b"", members=[member for member in members() if not member[0].startswith("pkg-")])
    assert "holds exactly metadata.json" in refusal(body)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused() -> None:
    first = members()
    assert "holds exactly metadata.json" in refusal(pack_conda(stem, info=b"", members=[first[0], *first[1:2], first[0]]))


def test_compressed_members_are_refused() -> None:
    body = pack_conda(stem, info=b"", members=members(), compression=zipfile.ZIP_DEFLATED)
    assert "must be stored" in refusal(body)


def test_encrypted_members_are_refused() -> None:
    body = bytearray(pack(good())[0])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        directory = archive.start_dir
    body[directory + 8] |= 1
    assert "encrypted" in refusal(bytes(body))


def test_bytes_in_front_of_the_archive_are_refused() -> None:
    good_body = pack(good())[0]
    assert "in front" in refusal(good_body[:30] + good_body)


def test_an_oversized_directory_is_refused_without_being_read() -> None:
    body = pack_conda(stem, info=b"", members=[(f"{number:0200}", b"") for number in range(3000)])
    assert "oversized directory" in refusal(body)


@pytest.mark.parametrize("field", [12, 16])
@given(lie=st.integers(0, 2**32 - 1))
def test_a_directory_that_lies_about_its_size_or_place_is_refused(field: int, lie: int) -> None:
    body = bytearray(pack(good())[0])
    end = body.rindex(b"PK\5\6")
    truth = body[end + field : end + field + 4]
    body[end + field : end + field + 4] = lie.to_bytes(4, "little")
    if lie.to_bytes(4, "little") != truth:
        assert refusal(bytes(body))


@given(lie=st.integers(0, 2**32 - 1))
def test_a_member_that_lies_about_its_place_is_refused(lie: int) -> None:
    body = bytearray(pack(good())[0])
    start = body.rindex(b"PK\1\2")  # of the info member, the last
    if body[start + 42 : start + 46] != lie.to_bytes(4, "little"):
        body[start + 42 : start + 46] = lie.to_bytes(4, "little")
        assert refusal(bytes(body))


def test_members_named_after_another_package_are_refused() -> None:
    body = pack_conda("bar-1.0-0", info=tar(good()))
    assert "named after 'bar-1.0-0'" in refusal(body)


def test_members_that_disagree_on_their_name_are_refused() -> None:
    renamed = [(name.replace("pkg-foo", "pkg-bar"), body) for name, body in members()]
    assert "holds exactly metadata.json" in refusal(pack_conda(stem, info=b"", members=renamed))


@pytest.mark.parametrize("metadata", [b'{"conda_pkg_format_version": 3}', b"{}", b"[]", b"\xff"])
def test_another_format_version_is_refused(metadata: bytes) -> None:
    changed = [(name, metadata if name == "metadata.json" else body) for name, body in members()]
    assert "metadata.json" in refusal(pack_conda(stem, info=b"", members=changed))


def test_content_that_is_not_zstd_is_refused() -> None:
    changed = [(name, b"plain" if name.startswith("pkg-") else body) for name, body in members()]
    assert "not compressed with zstd" in refusal(pack_conda(stem, info=b"", members=changed))


def test_metadata_that_is_not_zstd_is_refused() -> None:
    changed = [(name, b"plain" if name.startswith("info-") else body) for name, body in members()]
    assert "damaged" in refusal(pack_conda(stem, info=b"", members=changed))


def test_a_zstd_window_beyond_128_mebibytes_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wide = compressor.compress(tar(good())) + compressor.flush()
    changed = [(name, wide if name.startswith("info-") else body) for name, body in members()]
    assert "requires too much memory" in refusal(pack_conda(stem, info=b"", members=changed))


def test_metadata_in_several_zstd_frames_are_read_as_clients_read_them() -> None:
    body = tar(good())
    frames = b"".join(zstandard.compress(body[start : start + 1000]) for start in range(0, len(body), 1000))
    changed = [(name, frames if name.startswith("info-") else body) for name, body in members()]
    assert inspect(pack_conda(stem, info=b"", members=changed)).name == "foo"


def test_many_small_bzip2_streams_are_refused() -> None:
    """An empty one takes fourteen bytes and as much time as a large one."""
    body = tar(good())
    for small in (b"", b"x"):
        assert "too many small compressed streams" in refusal(bz2.compress(body[:512]) + bz2.compress(small) * 99, f"{stem}.tar.bz2")


def test_bzip2_in_several_streams_is_read() -> None:
    body = tar(good())
    assert inspect(bz2.compress(body[:700]) + bz2.compress(body[700:]), f"{stem}.tar.bz2").name == "foo"


class Unseekable(io.RawIOBase):
    """What a packer writes to that streams."""

    def __init__(self) -> None:
        self.body = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.body += bytes(data)
        return len(data)


def streamed() -> bytes:
    target = Unseekable()
    with zipfile.ZipFile(target, "w") as archive:
        for name, body in members():
            archive.writestr(name, body)
    return target.body


def zip64(limit: int = 1) -> bytes:
    """With ZIP64 fields in front of each member, as packers write them that do not know its size yet, and with a ZIP64 end."""
    target = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", limit)
        with zipfile.ZipFile(target, "w") as archive:
            for name, body in members():
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(body)
    return target.getvalue()


def packed_by_conda_package_streaming(folder: Path) -> bytes:
    with conda_builder(stem, folder) as archive:
        for name, body in good():
            member = tarfile.TarInfo(str(name))
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
        archive.addfile(special("bin", tarfile.DIRTYPE))
        archive.addfile(special("bin/foo", tarfile.SYMTYPE, "../share/foo"))
        archive.addfile(special("bin/bar", tarfile.LNKTYPE, "bin/foo"))
    return (folder / f"{stem}.conda").read_bytes()


def test_what_other_packers_write_is_read(tmp_path: Path) -> None:
    assert b"PK\7\x08" in streamed()
    assert b"PK\6\6" in zip64()
    for body in (streamed(), zip64(), zip64(65535), packed_by_conda_package_streaming(tmp_path)):
        assert inspect(body).name == "foo"


def test_the_widest_window_that_clients_read_is_read() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(tar({"bin/foo": b"x" * 100_000})) + compressor.flush()
    assert zstandard.get_frame_parameters(frame).window_size == 1 << 27
    changed = [(name, frame if name.startswith("pkg-") else body) for name, body in members()]
    assert inspect(pack_conda(stem, info=b"", members=changed)).name == "foo"


def test_a_small_package_may_hold_many_files() -> None:
    many = tarfile.TarInfo("share/x").tobuf() * 29_000 + b"\0" * 1024
    changed = [(name, zstandard.compress(many) if name.startswith("pkg-") else body) for name, body in members()]
    assert inspect(pack_conda(stem, info=b"", members=changed)).name == "foo"


# -- what inflates ----------------------------------------------------------------------------------------------------


def inflating(ext: str, name: str, mebibytes: int) -> tuple[bytes, str]:
    """A package in front of whose metadata stands a member of so many MiB of zeros."""
    compress = zstandard.ZstdCompressor().compress if ext == ".conda" else bz2.compress
    header = tarfile.TarInfo(name)
    header.size = mebibytes << 20
    metadata = compress(header.tobuf()) + compress(b"\0" * (1 << 20)) * mebibytes + compress(tar(good()))
    if ext == ".tar.bz2":
        return metadata, stem + ext
    return pack_conda(stem, info=b"", members=[(known, metadata if known.startswith("info-") else body) for known, body in members()]), stem + ext


@both
@pytest.mark.parametrize(
    ("name", "sentence"),
    [("info/index.json", "larger than 1 MiB"), ("info/about.json", "larger than 1 MiB"), ("info/test/zeros", "MiB|unpacks to more")],
)
def test_metadata_that_inflate_to_256_mebibytes_are_refused_in_little_memory(ext: str, name: str, sentence: str) -> None:
    body, basename = inflating(ext, name, 256)
    assert len(body) < 400_000
    tracemalloc.start()
    try:
        with pytest.raises(InvalidPackage, match=sentence):
            inspect(body, basename)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@both
def test_a_tar_header_of_many_mebibytes_is_refused_before_it_is_read(ext: str) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        header = special("x", kind)
        header.size = 32 << 20
        body = header.tobuf() + b"\0" * 1024
        packed = pack_conda(stem, info=body) if ext == ".conda" else bz2.compress(body)
        assert "headers longer than any path" in refusal(packed, stem + ext)


def test_a_million_records_in_tar_headers_are_refused() -> None:
    """Each is six bytes of something that nobody reads."""
    header = special("x", tarfile.XHDTYPE)
    header.size = 61_440
    body = (header.tobuf() + b"6 a=b\n" * 10_240 + tarfile.TarInfo("info/x").tobuf()) * 100
    assert "more files than a package of its size" in refusal(pack_conda(stem, info=body))


def test_metadata_behind_the_content_of_a_bzip2_package_are_found() -> None:
    body, basename = pack([("bin/foo", b"x" * 100_000), *good()], ".tar.bz2")
    assert inspect(body, basename).name == "foo"


# -- the inner archive ------------------------------------------------------------------------------------------------


@both
def test_a_package_without_index_json_is_refused(ext: str) -> None:
    assert "no info/index.json" in refusal(*pack([(name, body) for name, body in good() if name != "info/index.json"], ext))


@both
def test_two_index_json_are_refused(ext: str) -> None:
    assert "info/index.json twice" in refusal(*pack([*good(), ("./info/index.json", b"{}")], ext))


@both
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_an_index_json_that_is_a_link_is_refused(ext: str, kind: bytes) -> None:
    assert "must be a regular file" in refusal(*pack([(special("info/index.json", kind, "info/files"), b""), *good()[1:]], ext))


@both
@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "info/../../x", "./../x"])
def test_a_path_out_of_the_package_is_refused(ext: str, path: str) -> None:
    assert "outside of the package" in refusal(*pack([(path, b""), *good()], ext))


@both
@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XGLTYPE])
def test_a_special_file_is_refused(ext: str, kind: bytes) -> None:
    assert "special file" in refusal(*pack([(special("info/x", kind), b""), *good()], ext))


def test_a_negative_size_is_refused() -> None:
    header = bytearray(tarfile.TarInfo("info/x").tobuf())
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert "negative size" in refusal(pack_conda(stem, info=bytes(header) + tar(good())))


@both
def test_the_tar_of_another_tool_is_read(ext: str) -> None:
    """Folders as members and paths with ./ in front, as `tar cf x .` makes them."""
    folders: list[tuple[str | tarfile.TarInfo, bytes]] = [(special("./", tarfile.DIRTYPE), b""), (special("./info", tarfile.DIRTYPE), b"")]
    assert inspect(*pack([*folders, *((f"./{name}", body) for name, body in good())], ext)).name == "foo"


@both
def test_a_package_of_old_without_paths_json_is_taken(ext: str) -> None:
    """CEP 34 wants it of new ones; clients know how to do without."""
    basename, body = build_conda("foo", "1.0", ext=ext, info={"paths.json": None})
    assert inspect(body, basename).name == "foo"


# -- names that must agree --------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("basename", ["bar-1.0-0", "foo-1.1-0", "foo-1.0-1", "foo-1.0", "Foo-1.0-0"])
def test_a_file_name_that_contradicts_the_content_is_refused(ext: str, basename: str) -> None:
    assert f"by its content it is '{stem}{ext}'" in refusal(pack(good(), ext)[0], basename + ext)


def test_the_extension_of_the_other_format_is_refused() -> None:
    assert "by its content it is 'foo-1.0-0.conda'" in refusal(pack(good())[0], "foo-1.0-0.tar.bz2")
    assert "by its content it is 'foo-1.0-0.tar.bz2'" in refusal(pack(good(), ".tar.bz2")[0], "foo-1.0-0.conda")


# -- about.json and run_exports.json ----------------------------------------------------------------------------------


def test_what_about_json_says_is_kept() -> None:
    about = {
        "summary": " Foo ",
        "description": "Long",
        "license": "BSD",
        "home": "https://foo.example",
        "doc_url": ["http://docs.example"],
        "dev_url": "javascript:alert(1)",
    }
    basename, body = build_conda("foo", "1.0", info={"about.json": json.dumps(about).encode()}, index={"license": None})
    inspection = inspect(body, basename)
    assert (inspection.summary, inspection.description, inspection.license) == ("Foo", "Long", "BSD")
    assert inspection.attributes["about"] == {"home": "https://foo.example", "doc_url": "http://docs.example"}


@pytest.mark.parametrize("about", [b"", b"[]", b'{"summary": NaN}', b'{"summary": 3}', b"\xff", None])
def test_an_about_json_that_says_nothing_is_passed_over(about: bytes | None) -> None:
    basename, body = build_conda("foo", "1.0", info={"about.json": about})
    inspection = inspect(body, basename)
    assert (inspection.summary, inspection.license, inspection.attributes["about"]) == ("", "MIT", {})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, {}),
        (b"{}", {}),
        (b'["foo >=1"]', {"weak": ["foo >=1"]}),
        (b' {"strong": ["foo"], "weak": [], "noarch": null, "unknown": 1}', {"strong": ["foo"]}),
    ],
)
def test_run_exports_are_kept_in_their_dict_form(document: bytes | None, expected: dict[str, list[str]]) -> None:
    basename, body = build_conda("foo", "1.0", info={"run_exports.json": document})
    assert inspect(body, basename).attributes["run_exports"] == expected


@pytest.mark.parametrize("document", [b'{"weak": "foo"}', b'{"weak": [1]}', b"[[]]", b"3", b"[", b'["\\ud800"]'])
def test_run_exports_that_clients_could_not_read_are_refused(document: bytes) -> None:
    basename, body = build_conda("foo", "1.0", info={"run_exports.json": document})
    assert "run_exports" in refusal(body, basename)
