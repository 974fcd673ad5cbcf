"""Reading npm archives and publish documents, whatever is sent."""

from __future__ import annotations

import gzip
import io
import tarfile

import orjson
import pytest
from entrepot.plugin import BadRequest, DocumentTarget, FileTarget, Inspection, InvalidPackage, PartTarget, RefusalTarget, ValidationError
from entrepot_npm import names
from entrepot_npm.archive import MANIFEST_LIMIT, read_manifest
from entrepot_npm.document import publication
from entrepot_npm.packagetype import Npm
from hypothesis import given
from hypothesis import strategies as st
from npm_builder import archive, integrity_of, packed, publish_document

KITE = {"name": "kite", "version": "1.0.0", "description": "Flies.", "license": "MIT", "dependencies": {"string": "^2"}}


def inspect(content: bytes, basename: str = "kite-1.0.0.tgz") -> Inspection:
    return Npm().inspect(io.BytesIO(content), basename)


def test_an_archive_tells_its_name_version_and_what_an_installer_needs() -> None:
    content = archive(KITE)
    found = inspect(content)
    assert (found.name, found.version, found.summary, found.license) == ("kite", "1.0.0", "Flies.", "MIT")
    assert found.attributes["manifest"] == {"dependencies": {"string": "^2"}}
    assert found.attributes["integrity"] == integrity_of(content)


def test_only_a_tgz_with_members_below_package_is_detected() -> None:
    detect = Npm().detect
    assert detect(io.BytesIO(archive(KITE)), "kite-1.0.0.tgz")
    assert not detect(io.BytesIO(archive(KITE)), "kite-1.0.0.tar.gz")
    assert not detect(io.BytesIO(archive(KITE, folder="kite-1.0.0")), "kite-1.0.0.tgz")
    assert not detect(io.BytesIO(gzip.compress(b"package/" * 100)), "kite-1.0.0.tgz")


@given(st.binary(max_size=2000), st.booleans())
def test_detection_takes_any_bytes(content: bytes, compressed: bool) -> None:
    assert Npm().detect(io.BytesIO(gzip.compress(content) if compressed else content), "kite-1.0.0.tgz") is False


@given(st.data())
def test_a_damaged_archive_is_read_as_what_it_was_or_refused(data: st.DataObject) -> None:
    content = bytearray(archive(KITE))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = inspect(bytes(content))
    except InvalidPackage:
        return
    assert (found.name, found.version) == ("kite", "1.0.0")


@given(st.integers(0, 10**6))
def test_a_truncated_archive_is_refused(length: int) -> None:
    content = archive(KITE)
    with pytest.raises(InvalidPackage):
        inspect(content[: length % len(content)])


@pytest.mark.parametrize(
    "bomb",
    [archive(KITE, members={"package/zeros": bytes(4 << 20)}), gzip.compress(gzip.decompress(archive(KITE)) + bytes(4 << 20), mtime=0)],
    ids=["in a member", "after the last member"],
)
def test_an_archive_that_inflates_without_end_is_refused(bomb: bytes) -> None:
    with pytest.raises(InvalidPackage, match="inflates to more than 1 MiB"):
        read_manifest(io.BytesIO(bomb), limit=1 << 20)


def test_a_header_that_claims_to_be_huge_is_refused() -> None:
    header = tarfile.TarInfo("package/x")
    header.type, header.size = tarfile.XHDTYPE, 64 << 20
    content = gzip.compress(header.tobuf() + bytes(65 << 20))
    with pytest.raises(InvalidPackage, match="a header that is larger than 4 MiB"):
        inspect(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read"),
        (b"hello", "cannot be read"),
        (packed([("package/index.js", b"")]), "has no package/package.json"),
        (packed([("package/package.json", b"{}"), ("package/package.json", b"{}")]), "two members package/package.json"),
        (archive(b"{"), "is no JSON"),
        (archive(b"[]"), "must be a JSON object"),
        (archive(b'"' + b" " * MANIFEST_LIMIT + b'"'), "must be a plain file of at most 1 MiB"),
        (archive({"version": "1.0.0"}), "must have a name, as a string"),
        (archive({"name": "kite", "version": 1}), "must have a version, as a string"),
        (archive({"name": "kite", "version": "1.0"}), "'1.0' is no version"),
        (archive({"name": "Kite", "version": "1.0.0"}), "'Kite' is no npm package name"),
        (archive({"name": "@kites/kite", "version": "1.0.0"}), "has a scope"),
        (archive({"name": "tail", "version": "1.0.0"}), "'kite-1.0.0.tgz' holds tail 1.0.0"),
        (archive({"name": "kite", "version": "2.0.0"}), "'kite-1.0.0.tgz' holds kite 2.0.0"),
        (archive({**KITE, "dependencies": ["string"]}), "'dependencies' must map names to version ranges"),
        (archive({**KITE, "peerDependencies": {"string": 2}}), "'peerDependencies' must map names to version ranges"),
    ],
)
def test_an_invalid_archive_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidPackage) as caught:
        inspect(content)
    assert sentence in caught.value.message


# -- names, versions, tags --------------------------------------------------------------------------------------------


ORDERED = (
    *("0.0.1", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"),
    *("1.0.1", "1.9.0", "1.10.0", "2.0.0", "10.0.0"),
)


@given(st.permutations(ORDERED))
def test_versions_sort_as_semver_says(shuffled: list[str]) -> None:
    assert tuple(sorted(shuffled, key=names.version_key)) == ORDERED


numbers = st.integers(0, 10**15)


@given(st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers))
def test_releases_sort_as_their_numbers_do(first: tuple[int, int, int], second: tuple[int, int, int]) -> None:
    keys = [names.version_key(".".join(map(str, version))) for version in (first, second)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (first < second, first == second)


def test_build_metadata_makes_no_other_version() -> None:
    assert names.canonical_version("1.0.0+linux.7") == "1.0.0"
    assert names.version_key("1.0.0+linux.7") == names.version_key("1.0.0")


@given(st.text(max_size=40))
def test_what_is_a_name_can_stand_in_a_url_and_is_found_again(name: str) -> None:
    try:
        names.canonical_name(name)
    except ValidationError:
        assert Npm().locate(name, "", "") is None or name.startswith("@") or name == "-/all"
        return
    assert Npm().locate(name, "", "") == PartTarget("packages", name, "packument")
    assert Npm().locate(f"{name}/-/{name}-1.0.0.tgz", "", "") == FileTarget(f"{name}/-/{name}-1.0.0.tgz")


@pytest.mark.parametrize("name", ["", ".x", "_x", "a/b", "label", "node_modules", "x" * 215, "ä", "a b", "a\n", "x\0"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        names.canonical_name(name)


@pytest.mark.parametrize("tag", ["", "1.0.0", "v1", "v1.x", "x", "X", "a b", "a/b", "ä", "t" * 129])
def test_a_tag_that_an_installer_would_misread_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError, match="cannot be a dist-tag"):
        names.tag_name(tag)


@pytest.mark.parametrize("tag", ["latest", "next", "vnext", "v", "x-ray", "release-2.x"])
def test_a_word_is_a_tag(tag: str) -> None:
    assert names.tag_name(tag) == tag


def test_urls_mean_what_the_readme_says() -> None:
    locate = Npm().locate
    assert locate("-/all", "", "") == DocumentTarget("packages", "all")
    assert isinstance(locate("@kites/tail", "", ""), RefusalTarget)
    assert locate("-/package/kite/dist-tags", "", "") is None
    assert locate("kite/-/a/b", "", "") is None
    assert locate("", "", "") is None


# -- the publish document ---------------------------------------------------------------------------------------------


keys = st.sampled_from(["name", "versions", "dist-tags", "_attachments", "1.0.0", "data", "dist", "kite"])


leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5)


@given(st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12))
def test_any_json_is_a_publication_or_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        publication(orjson.dumps(given), "kite")


@given(st.binary(max_size=50))
def test_any_bytes_are_a_publication_or_refused(text: bytes) -> None:
    with pytest.raises((BadRequest, ValidationError)):
        publication(text, "kite")


def test_a_publication_without_tags_is_the_latest() -> None:
    assert publication(orjson.dumps(publish_document("kite", "1.0.0", tags={})), "kite").tags == {"latest": "1.0.0"}
