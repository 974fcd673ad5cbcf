"""Wheels: each rule with a file that breaks it."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection, InvalidPackage
from entrepot_pypi.packagetype import PypiType
from pypi_builder import build_metadata, build_record, build_wheel, build_zip, record_line
from raw_zip import RawMember, raw_members, raw_zip

Inspect = Callable[[tuple[str, bytes]], Inspection]
FOLDER = "foo-1.0.dist-info"


def test_a_good_wheel_is_read_whole(inspect: Inspect) -> None:
    headers = [
        ("Requires-Python", ">=3.8"),
        ("License", "BSD"),
        ("Author", "Jörg"),
        ("Keywords", "a,b"),
        ("Classifier", "Private :: Ours"),
        ("Project-URL", "Home, https://example.org"),
        ("Provides-Extra", "fast"),
        ("Description-Content-Type", "text/markdown"),
    ]
    built = build_wheel("Foo.Bar", "1.0", ["baz>=2; python_version < '4'"], headers=headers, description="# Foo\n", tag="cp311-abi3-linux_x86_64")
    read = inspect(built)
    assert (read.name, read.version, read.platform, read.license) == ("Foo.Bar", "1.0", "linux_x86_64", "BSD")
    assert (read.summary, read.description) == ("A package made by the tests", "# Foo\n")
    assert read.attributes == {
        "packagetype": "bdist_wheel",
        "python_tag": "cp311",
        "abi_tag": "abi3",
        "platform_tag": "linux_x86_64",
        "metadata_version": "2.1",
        "requires_python": ">=3.8",
        "requires_dist": ["baz>=2; python_version < '4'"],
        "license": "BSD",
        "author": "Jörg",
        "keywords": ["a", "b"],
        "classifiers": ["Private :: Ours"],
        "project_urls": {"Home": "https://example.org"},
        "provides_extra": ["fast"],
        "description_content_type": "text/markdown",
        "license_files": [],
        "core_metadata": True,
    }
    [extra] = read.extras
    with zipfile.ZipFile(io.BytesIO(built[1])) as archive:
        assert extra.body == archive.read("foo_bar-1.0.dist-info/METADATA")
    assert extra.name == "metadata"


def test_a_wheel_for_any_platform_has_none(inspect: Inspect, pypi: PypiType) -> None:
    built = build_wheel("foo", "1.0")
    assert inspect(built).platform == ""
    assert pypi.path(inspect(built), built[0]) == "foo-1.0-py3-none-any.whl"


def test_a_platform_tag_of_many_platforms_is_cut_between_two(inspect: Inspect) -> None:
    tag = ".".join(f"manylinux_2_{minor}_x86_64" for minor in range(10, 20))
    platform = inspect(build_wheel("foo", "1.0", tag=f"py3-none-{tag}")).platform
    assert platform == "manylinux_2_10_x86_64.manylinux_2_11_x86_64"


@pytest.mark.parametrize(
    "built",
    [
        build_wheel("foo", "1.0+local.1"),
        build_wheel("foo", "1!2.0rc1"),
        build_wheel("foo", "1.0", basename="Foo-1.0-1build-py3-none-any.whl"),
        build_wheel("foo", "1.0", basename="foo-1.0.0-py3-none-any.whl"),
        build_wheel("zope.foo", "1.0", basename="zope.foo-1.0-py2.py3-none-any.whl", dist_info="zope.foo-1.0.dist-info"),
        build_wheel("foo", "1.0", files={"foo/": b"", "foo/__init__.py": b"", "foo/ünï.txt": b"x"}),
        build_wheel("foo", "1.0", compression=zipfile.ZIP_STORED),
        build_wheel("foo", "1.0", more=[(f"{FOLDER}/RECORD.jws", b"{}")]),
        build_wheel("foo", "1.0", files={}),
        build_wheel("foo", "1.0", ["bar>=1; python_version > '3'"]),
        build_wheel("foo", "1.0", files={f"{FOLDER}/entry_points.txt": b"[console_scripts]\nFoo-bar.x = foo:main\n[other]\na b = c\n"}),
        build_wheel("foo", "1.0", metadata_version="2.4", headers=[("License-File", "a/LICENSE")], files={f"{FOLDER}/licenses/a/LICENSE": b"free"}),
    ],
    ids=lambda built: built[0],
)
def test_an_odd_but_good_wheel_is_taken(inspect: Inspect, built: tuple[str, bytes]) -> None:
    assert inspect(built).attributes["packagetype"] == "bdist_wheel"


@pytest.mark.parametrize(
    "basename",
    [
        "foo.whl",
        "foo-1.0.whl",
        "foo-1.0-py3-none.whl",
        "foo-1.0-1-2-py3-none-any.whl",
        "foo-one-py3-none-any.whl",
        "foo-1.0-build-py3-none-any.whl",
        "foo__bar-1.0-py3-none-any.whl",
        "f oo-1.0-py3-none-any.whl",
        "fоo-1.0-py3-none-any.whl",
        "foo-1.0-py3-none-any.WHL",
        "foo\n-1.0-py3-none-any.whl",
        "../foo-1.0-py3-none-any.whl",
        "foo-1.0-py3-none-any.txt",
    ],
)
def test_a_filename_that_is_no_wheels_is_refused(inspect: Inspect, basename: str) -> None:
    with pytest.raises(InvalidPackage, match=r"(filename|Invalid).*wheel"):
        inspect(build_wheel("foo", "1.0", basename=basename))


@pytest.mark.parametrize(
    ("built", "sentence"),
    [
        (build_wheel("foo", "1.0", basename="bar-1.0-py3-none-any.whl"), "no .dist-info folder that agrees"),
        (build_wheel("foo", "1.0", basename="foo-1.1-py3-none-any.whl"), "no .dist-info folder that agrees"),
        (build_wheel("foo", "1.0", metadata=build_metadata("bar", "1.0")), "METADATA says that this is 'bar'"),
        (build_wheel("foo", "1.0", metadata=build_metadata("foo", "1.1")), "METADATA says that this is version '1.1'"),
        (build_wheel("foo", "1.0", files={"evil-1.0.dist-info/METADATA": b""}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", files={"Foo-1.0.dist-info/METADATA": b""}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", files={"EVIL-2.0.DIST-INFO/METADATA": b""}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", files={"evil-2.0.dist-info": b"a file"}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", files={"evil-2.0.dist-info./METADATA": b""}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", files={"evil-2.0.Egg-Info/PKG-INFO": b""}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", files={"evil.egg-link": b"."}), "more than one .dist-info"),
        (build_wheel("foo", "1.0", dist_info="foo-1.0.egg-info"), "no .dist-info folder that agrees"),
        (build_wheel("foo", "1.0", dist_info="foo-1.0.DIST-INFO"), "no .dist-info folder that agrees"),
        (build_wheel("foo", "1.0", without=["METADATA"]), "holds no foo-1.0.dist-info/METADATA"),
        (build_wheel("foo", "1.0", without=["WHEEL"]), "holds no foo-1.0.dist-info/WHEEL"),
        (build_wheel("foo", "1.0", without=["RECORD"]), "holds no foo-1.0.dist-info/RECORD"),
        (build_wheel("foo", "1.0", wheel=b"Generator: x\n"), "Wheel-Version ''"),
        (build_wheel("foo", "1.0", wheel=b"Wheel-Version: 2.0\n"), "Wheel-Version '2.0'"),
        (build_wheel("foo", "1.0", wheel=b"\xff\xfe"), "WHEEL file cannot be read"),
        (build_wheel("foo", "1.0", metadata_version="2.4", headers=[("License-File", "LICENSE")]), "license file 'LICENSE'"),
        (build_wheel("foo", "1.0", files={f"{FOLDER}/entry_points.txt": b"[console_scripts]\na/b = c\n"}), "names a script 'a/b'"),
        (build_wheel("foo", "1.0", files={f"{FOLDER}/entry_points.txt": b"no section\n"}), "entry_points.txt cannot be read"),
        (build_wheel("foo", "1.0", files={f"{FOLDER}/entry_points.txt": b"\xff"}), "entry_points.txt cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wheel_that_is_not_what_it_says_is_refused(inspect: Inspect, built: tuple[str, bytes], sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        inspect(built)


@pytest.mark.parametrize(
    "path",
    [
        "foo-1.0.data/purelib/foo-1.0.dist-info/METADATA",
        "foo-1.0.data/purelib/pip-99.dist-info/METADATA",
        "foo-1.0.data/platlib/pip-99.DIST-INFO/METADATA",
        "foo-1.0.data/purelib/pip-99.dist-info::$INDEX_ALLOCATION/METADATA",
        "foo-1.0.data/purelib/pip-99.dist-info",
        "foo-1.0.data/PureLib/pip-99.egg-info/PKG-INFO",
        "foo-1.0.data/platlib/pip-99.egg/EGG-INFO/PKG-INFO",
        "foo-1.0.data/data/lib/python3.11/site-packages/pip-99.dist-info/METADATA",
        "foo-1.0.data/data/Lib/site-packages/pip-99.egg-info",
    ],
)
def test_no_second_package_comes_by_the_data_folder(inspect: Inspect, path: str) -> None:
    with pytest.raises(InvalidPackage, match="installers would take that for another package"):
        inspect(build_wheel("foo", "1.0", files={path: b"Name: pip\n"}))


@pytest.mark.parametrize(
    "path", ["bar-1.0.data/scripts/x", "foo-1.0.Data/purelib/x.py", "foo-1.0.data./purelib/x.py", "Foo-1.0.data/data/x", ".data"]
)
def test_a_data_folder_of_another_name_is_refused(inspect: Inspect, path: str) -> None:
    with pytest.raises(InvalidPackage, match=r"the only name that ends in \.data is foo-1\.0\.data"):
        inspect(build_wheel("foo", "1.0", files={path: b"", "foo-1.0.data/scripts/y": b""}))


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("metadata", "METADATA"),
        ("Record", "RECORD"),
        ("ENTRY_POINTS.TXT", "entry_points.txt"),
        ("licenses/License", "licenses/LICENSE"),
    ],
)
def test_names_that_are_one_on_some_systems_are_refused_among_the_metadata(inspect: Inspect, path: str, other: str) -> None:
    built = build_wheel("foo", "1.0", files={f"{FOLDER}/licenses/LICENSE": b"", f"{FOLDER}/{path}": b"[console_scripts]\n../evil = foo:main\n"})
    with pytest.raises(InvalidPackage, match=f"some systems take for '{FOLDER}/{other}'"):
        inspect(built)


@pytest.mark.parametrize(
    "path",
    [f"{FOLDER}/METADATA.", f"{FOLDER}/METADATA::$DATA", f"{FOLDER}/RECORD ", f"{FOLDER}/licenses /x", "foo-1.0.data/purelib/pip.dist-info./x"],
)
def test_names_that_windows_writes_otherwise_are_refused_beside_the_metadata_and_in_the_data_folder(inspect: Inspect, path: str) -> None:
    with pytest.raises(InvalidPackage, match="Windows"):
        inspect(build_wheel("foo", "1.0", files={path: b""}))


def test_what_lies_deep_in_libraries_and_beside_the_metadata_may_be_named_freely(inspect: Inspect) -> None:
    files = {
        "foo/_vendor/bar-1.0.dist-info/METADATA": b"",
        "foo/README": b"",
        "foo/readme": b"",
        "foo-1.0.data/purelib/foo/_vendor/bar-1.0.egg-info": b"",
        "foo-1.0.data/scripts/foo": b"#!python\n",
        **dict.fromkeys(("foo-1.0.data/", "foo-1.0.data/purelib/", "foo-1.0.data/scripts/", f"{FOLDER}/", f"{FOLDER}/licenses/"), b""),
        "foo-1.0.data/data/share/man/Foo::Bar.3": b"",
        "foo-1.0.data/data/share/foo/a.data": b"",
        f"{FOLDER}/licenses/a/LICENSE": b"",
        f"{FOLDER}/licenses/b/license": b"",
    }
    assert inspect(build_wheel("foo", "1.0", files=files)).name == "foo"


# -- RECORD -----------------------------------------------------------------------------------------------------------


def with_record(change: Callable[[bytes], bytes]) -> tuple[str, bytes]:
    """A wheel whose RECORD was tampered with."""
    _, body = build_wheel("foo", "1.0")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        record = archive.read(f"{FOLDER}/RECORD")
    changed = change(record)
    assert changed != record
    return build_wheel("foo", "1.0", record=changed)


@pytest.mark.parametrize(
    ("built", "sentence"),
    [
        (build_wheel("foo", "1.0", more=[("extra.py", b"")]), "'extra.py' is in the wheel, and RECORD does not list it"),
        (with_record(lambda record: record + b"absent.py,sha256=AA,0\n"), "lists 'absent.py', which is not in the wheel"),
        (with_record(lambda record: record.replace(b"sha256=", b"sha256=AAAA", 1)), "another digest of 'foo.py'"),
        (with_record(lambda record: record.replace(b"sha256=", b"sha256=!", 1)), "another digest of 'foo.py'"),
        (with_record(lambda record: record.replace(b"sha256=", b"md5=", 1)), "no digest of 'foo.py' that can be trusted"),
        (with_record(lambda record: record.replace(record.split(b",")[1], b"", 1)), "no digest of 'foo.py' that can be trusted"),
        (with_record(lambda record: record.replace(b",12\n", b",13\n", 1)), "says that 'foo.py' has 13 bytes; it has 12"),
        (with_record(lambda record: record + b"foo.py,sha256=AA,12\n"), "lists 'foo.py' twice, and differently"),
        (with_record(lambda record: record + b"one,column\n"), "RECORD cannot be read"),
        (with_record(lambda record: record + b"\xff,,\n"), "RECORD cannot be read"),
        (with_record(lambda record: record.replace(b",12\n", b',"12\n', 1)), "RECORD cannot be read"),
        (with_record(lambda record: record.replace(b",,\n", b',,"\n', 1)), "RECORD cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wheel_whose_record_disagrees_with_it_is_refused(inspect: Inspect, built: tuple[str, bytes], sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence):
        inspect(built)


def test_a_record_may_use_sha512_and_leave_the_size_out(inspect: Inspect) -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha512(b"answer = 42\n").digest()).rstrip(b"=")
    built = with_record(lambda record: b"foo.py,sha512=%s,\n" % digest + record.partition(b"\n")[2])
    assert inspect(built).name == "foo"


def respelled(change: Callable[[bytes], bytes]) -> tuple[str, bytes]:
    """A wheel whose RECORD spells a digest otherwise. Of the file's digest base64 and base64 for URLs differ."""
    body = b"number = 0\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=")
    assert b"-" in digest or b"_" in digest
    _, wheel = build_wheel("foo", "1.0", files={"foo.py": body})
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        record = archive.read(f"{FOLDER}/RECORD")
    return build_wheel("foo", "1.0", files={"foo.py": body}, record=record.replace(digest, change(digest), 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda digest: digest.replace(b"-", b"+").replace(b"_", b"/"),
        lambda digest: b"!!" + digest[:5] + b"$$ " + digest[5:],
        lambda digest: digest + b"=junkjunk",
        lambda digest: digest + b"==",
        lambda digest: digest + b" ",
        lambda digest: digest[:-1] + bytes((digest[-1] + 1,)),
        lambda digest: b"",
    ],
    ids=["base64", "junk within", "junk behind", "padded too much", "blank", "bits to spare", "nothing"],
)
def test_a_digest_has_one_spelling_in_record(inspect: Inspect, change: Callable[[bytes], bytes]) -> None:
    assert inspect(respelled(lambda digest: digest)).name == "foo"
    assert inspect(respelled(lambda digest: digest + b"=")).name == "foo"
    with pytest.raises(InvalidPackage, match=r"another digest of 'foo\.py'"):
        inspect(respelled(change))


def test_a_record_may_say_the_same_twice(inspect: Inspect) -> None:
    assert inspect(with_record(lambda record: record + record)).name == "foo"


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s"])
def test_a_signature_of_record_that_is_damaged_is_refused(inspect: Inspect, name: str) -> None:
    basename, body = build_wheel("foo", "1.0", more=[(f"{FOLDER}/{name}", b"signed")])
    members = raw_members(body)
    assert inspect((basename, raw_zip(members))).name == "foo"
    members[-1].crc = 1
    with pytest.raises(InvalidPackage, match=f"{name}' in the archive is damaged"):
        inspect((basename, raw_zip(members)))


def test_a_folder_with_bytes_that_cannot_be_inflated_is_refused(inspect: Inspect) -> None:
    basename, body = build_wheel("foo", "1.0")
    folder = RawMember(name=b"foo/", method=8, attributes=0o040755 << 16)
    assert inspect((basename, raw_zip([*raw_members(body), folder]))).name == "foo"
    folder.compressed = b"\xff" * 5000
    with pytest.raises(InvalidPackage, match="'foo/' in the archive is damaged"):
        inspect((basename, raw_zip([*raw_members(body), folder])))


class Failing(io.BytesIO):
    """A file of which reading fails, as a library fails on bytes that nobody thought of."""

    def __init__(self, body: bytes, error: Exception) -> None:
        super().__init__(body)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        """Whatever was asked for."""
        raise self.error


@pytest.mark.parametrize("basename", ["foo-1.0-py3-none-any.whl", "foo-1.0.tar.gz", "foo-1.0.zip"])
@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("odd"), RecursionError("odd"), TypeError("odd"), struct.error("odd")], ids=repr)
def test_whatever_a_library_stumbles_over_is_said_of_the_file(pypi: PypiType, basename: str, error: Exception) -> None:
    with pytest.raises(InvalidPackage, match=r"cannot be read.*odd"):
        pypi.inspect(Failing(b"", error), basename)


def test_a_disk_that_fails_is_no_fault_of_the_file(pypi: PypiType) -> None:
    with pytest.raises(OSError, match="disk"):
        pypi.inspect(Failing(b"", OSError("disk")), "foo-1.0-py3-none-any.whl")


def test_the_builders_record_is_right() -> None:
    assert build_record({"a": b"x"}, "RECORD").decode().splitlines() == [",".join(record_line("a", b"x")), "RECORD,,"]
    assert build_zip([("a", b"x")]).startswith(b"PK")
