"""Core metadata: strict in what installs a package, lenient in what tools are known to write."""

from __future__ import annotations

import time

import pytest
from entrepot.plugin import Inspection, InvalidPackage, Strictness
from entrepot.services.strictness import check_objections
from entrepot_pypi.metadata import Description, describe
from hypothesis import given
from hypothesis import strategies as st


def read(*lines: str, version: str = "2.1", body: bytes = b"", strictness: Strictness = Strictness.PRIVATE) -> Description:
    head = "\n".join([f"Metadata-Version: {version}", "Name: foo", "Version: 1.0", *lines])
    described = describe(head.encode("utf-8", "surrogateescape") + b"\n\n" + body, "METADATA")
    check_objections(Inspection(name=described.name, version=described.version, objections=described.objections), strictness)
    return described


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"])
def test_every_metadata_version_that_is_in_use_is_read(version: str) -> None:
    described = read("Summary: Hello", "Requires-Dist: bar", version=version)
    assert described.summary == "Hello"
    assert described.attributes["metadata_version"] == version
    assert described.attributes["requires_dist"] == ["bar"]


def test_a_later_metadata_version_is_read_as_far_as_it_is_known_by_imports_alone() -> None:
    described = read("Summary: Hello", "Requires-Dist: bar", "Later: yes", version="2.17", strictness=Strictness.IMPORT)
    assert (described.summary, described.attributes["requires_dist"]) == ("Hello", ["bar"])
    with pytest.raises(InvalidPackage, match=r"Metadata-Version is newer than 2\.6"):
        read(version="2.17")


@pytest.mark.parametrize("version", ["", "1.3", "2", "3.0", "10.1", "2.x", "2.1\n 5", "٢.١"])
def test_a_metadata_version_that_nobody_knows_is_refused(version: str) -> None:
    with pytest.raises(InvalidPackage, match="Metadata-Version"):
        read(version=version)


@pytest.mark.parametrize(
    "line",
    [
        "Requires-Dist: bar >=",
        "Requires-Dist: not a requirement",
        "Requires-Python: three",
        "Provides-Extra: -bad-",
        "Description-Content-Type: image/png",
        "Dynamic: Name",
    ],
)
def test_what_installs_wrongly_is_refused_by_the_name_of_its_field(line: str) -> None:
    with pytest.raises(InvalidPackage, match=line.partition(":")[0].lower()):
        read(line)


@pytest.mark.parametrize("line", ["Name: evil", "Version: 2.0", "Requires-Python: >=4", "Summary: \udcff"])
def test_what_decides_is_said_once_and_in_utf_8(line: str) -> None:
    with pytest.raises(InvalidPackage, match="more than once, or in bytes that are not UTF-8"):
        read("Requires-Python: >=3", line)


@pytest.mark.parametrize(
    "head",
    [
        "Version: 1.0",
        "Name: foo",
        "Name: -foo-\nVersion: 1.0",
        "Name: foo\nVersion: one",
        "Name: UNKNOWN\nVersion: 1.0",
        f"Name: foo\nVersion: {'1.' * 200}1",
    ],
)
def test_name_and_version_must_be_there_and_valid(head: str) -> None:
    with pytest.raises(InvalidPackage, match=r"no valid (Name|Version)"):
        describe(f"Metadata-Version: 2.1\n{head}\n\n".encode(), "METADATA")


def test_what_setuptools_and_hatchling_wrote_before_2_4_is_taken() -> None:
    described = read("License: MIT License", "License-Expression: MIT", "License-File: LICENSE", version="2.3")
    assert described.license == "MIT"
    assert not described.license_files


@pytest.mark.parametrize("version", ["1.2", "2.1", "2.4"])
def test_a_license_expression_is_valid_whatever_the_version(version: str) -> None:
    with pytest.raises(InvalidPackage, match="license-expression"):
        read("License-Expression: Free for all", version=version)


def test_license_and_license_expression_exclude_each_other() -> None:
    with pytest.raises(InvalidPackage, match="PEP 639"):
        read("License: MIT", "License-Expression: MIT", version="2.4")


def test_unknown_is_nothing() -> None:
    described = read("Summary: UNKNOWN", "Home-page: UNKNOWN", "License: UNKNOWN", "Platform: UNKNOWN", "Author: ", "Requires-Python: ")
    assert (described.summary, described.license) == ("", "")
    assert described.attributes == {"metadata_version": "2.1"}


def test_folded_lines_are_joined() -> None:
    described = read("Summary: one", "  two", "Requires-Python: >=3,", "        <4")
    assert described.summary == "one two"
    assert described.attributes["requires_python"] == ">=3, <4"


def test_unknown_headers_and_classifiers_do_no_harm() -> None:
    described = read("X-Ours: yes", "Classifier: Never :: Heard", "Author: J\udcf6rg")
    assert described.attributes["classifiers"] == ["Never :: Heard"]


def test_the_description_is_the_body_in_utf_8() -> None:
    assert read(body="# Höllo\n\nText".encode()).description == "# Höllo\n\nText"


def test_an_old_description_in_a_header_is_unfolded() -> None:
    assert read("Description: One", "        Two").description == "One\nTwo"


def test_dynamic_metadata_is_not_static() -> None:
    assert read(version="2.2").is_static
    assert not read(version="2.1").is_static
    assert not read("Dynamic: Requires-Dist", version="2.2").is_static


@pytest.mark.parametrize(
    "body",
    [
        b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nSummary: a\x00b\n\n",
        b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n",
        b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n" + b"".join(b"X%d: y\n" % number for number in range(300)),
        b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n" + b"Requires-Dist: bar\n" * 30_000,
        b"a" * (5 << 20) + b"a",
        b"\xef\xbb\xbfMetadata-Version: 2.1\nName: foo\nVersion: 1.0\n",
        b"\nMetadata-Version: 2.1\nName: foo\nVersion: 1.0\n",
    ],
    ids=["nul", "multipart", "many kinds", "many headers", "too long", "byte order mark", "blank line first"],
)
def test_hostile_metadata_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPackage):
        describe(body, "METADATA")


@pytest.mark.parametrize(
    "line",
    [
        "License-Expression: " + "(" * 50_000,
        "Requires-Dist: bar; " + "(" * 50_000,
        "Requires-Dist: bar" + "[" * 50_000,
        "Requires-Python: " + ">=3," * 50_000,
        "Description-Content-Type: text/plain" + "; a=b" * 50_000,
        "Version: " + "1." * 500_000,
        "Name: " + "a-" * 500_000,
        "Classifier: " + "=?utf-8?q?" * 100_000,
    ],
    ids=lambda line: line[:24],
)
def test_long_values_take_little_time(line: str) -> None:
    started = time.process_time()
    try:
        describe(f"Metadata-Version: 2.4\nName: foo\nVersion: 1.0\n{line}\n\n".encode(), "METADATA")
    except InvalidPackage as error:
        assert len(error.message) < 2000  # noqa: PT017
    assert time.process_time() - started < 5


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused_with_a_sentence(noise: bytes, in_header: bool) -> None:
    head = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n"
    body = head + noise + b"\n\n" if in_header else head + b"\n" + noise
    try:
        described = describe(body, "METADATA")
    except InvalidPackage:
        return
    assert (described.name, described.version) == ("foo", "1.0")
