"""What a package type must be, and how an upload finds its own."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

import pytest
import strawberry
from entrepot.errors import PluginError, ValidationError
from entrepot.plugin import File, PackageFacet, PackageType
from entrepot.registry import Registry
from hypothesis import given
from hypothesis import strategies as st
from plugin_builder import Crate, crate, document, parts, plugin

DATED = replace(document("d", "a"), zstd="e", changed_header="Last-Told")


def of(*types: object) -> Registry:
    return Registry.of({"kites": plugin(package_types=list(types))})


def named(name: object) -> PackageType:
    return crate(name=name)


def test_types_stand_in_the_order_of_their_names_with_their_owners() -> None:
    registry = Registry.of({"kites": plugin(package_types=[named("zed"), named("mid")]), "boats": plugin(package_types=[named("abc")])})
    assert list(registry.types) == ["abc", "mid", "zed"]
    assert [registry.owner_of(name) for name in registry.types] == ["boats", "kites", "kites"]


def test_an_unknown_type_is_refused_with_those_that_there_are() -> None:
    registry = of(named("abc"), named("mid"))
    for ask in (registry.type_named, registry.owner_of):
        with pytest.raises(ValidationError, match=r"There is no package type 'zed' here\. The types are: abc, mid\."):
            ask("zed")


def test_two_plugins_with_a_type_of_one_name_are_both_named() -> None:
    with pytest.raises(PluginError, match="'boats' and 'kites' both claim the package type 'crate'"):
        Registry.of({"kites": plugin(package_types=[Crate()]), "boats": plugin(package_types=[Crate()])})


def test_one_plugin_with_a_type_twice_is_named() -> None:
    with pytest.raises(PluginError, match="'kites' claims the package type 'crate' twice"):
        of(Crate(), Crate())


@pytest.mark.parametrize("name", ["Crate", "1crate", "cra-te", "", "c" * 33, "crate\n", None, 7])
def test_a_type_with_a_malformed_name_stops_the_start(name: object) -> None:
    with pytest.raises(PluginError, match="'kites' has a package type named"):
        of(named(name))


@pytest.mark.parametrize("name", ["graphql", "upload", "t", "api", "org", "static", "healthz"])
def test_a_type_named_like_one_of_the_cores_words_stops_the_start(name: str) -> None:
    with pytest.raises(PluginError, match=f"'kites' names a package type '{name}', which is a word that the core keeps"):
        of(named(name))


@pytest.mark.parametrize("candidate", [Crate, "crate", None, object()])
def test_what_is_no_package_type_stops_the_start(candidate: object) -> None:
    with pytest.raises(PluginError, match=r"'kites' gives .* as a package type; it must give instances of PackageType"):
        of(candidate)


def test_a_type_that_lacks_members_stops_the_start() -> None:
    class Unfinished(Crate):
        entries = PackageType.entries

    def types(self: object) -> list[PackageType]:
        return [Unfinished()]

    with pytest.raises(PluginError, match=r"'package_types' of the plugin 'kites' failed: TypeError: .*abstract.*entries"):
        Registry.of({"kites": plugin(package_types=types)})


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"title": ""}, "has no title"),
        ({"title": None}, "has no title"),
        ({"entry_version": 0}, "entry_version 0"),
        ({"entry_version": "1"}, "entry_version '1'"),
        ({"part_representations": parts("json", "html", "json")}, "two part representations named 'json'"),
        ({"part_representations": parts("JSON")}, "a part representation named 'JSON'"),
        ({"part_representations": parts("p" * 33)}, "a part representation named 'ppp"),
        ({"part_representations": parts("a"), "document_representations": (document("d", "a"),) * 2}, "two document representations named 'd'"),
        ({"part_representations": parts("a", "b"), "document_representations": (document("d", "c"),)}, "'c', which it does not have; it has: a, b"),
        ({"document_representations": (document("d", "c"),)}, "'c', which it does not have; it has: none"),
        ({"part_representations": parts("a"), "document_representations": (replace(document("d", "a"), zstd="d"),)}, "no other one from the same"),
        ({"part_representations": parts("a"), "document_representations": (DATED, document("e", "a"))}, "with the same changed_header"),
    ],
)
def test_a_type_that_contradicts_itself_stops_the_start(members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError, match=r"The package type 'crate' of the plugin 'kites'") as caught:
        of(crate(**members))
    assert sentence in caught.value.message


def test_a_document_may_be_joined_from_a_part_of_the_same_name() -> None:
    assert "crate" in of(crate(part_representations=parts("json"), document_representations=(document("json", "json"),))).types


@strawberry.type
class CrateFile(File):
    weight: int = 1


@strawberry.type
class CrateFacet(PackageFacet):
    heaviest: int = 1


class Undecorated(File):
    pass


@pytest.mark.parametrize(
    ("member", "given"),
    [
        ("graphql_type", CrateFacet),
        ("graphql_type", File),
        ("graphql_type", Undecorated),
        ("graphql_type", str),
        ("graphql_type", "CrateFile"),
        ("facet_type", CrateFile),
        ("facet_type", PackageFacet),
    ],
)
def test_a_type_whose_graphql_types_implement_nothing_stops_the_start(member: str, given: object) -> None:
    with pytest.raises(PluginError, match=f"The package type 'crate' of the plugin 'kites' has the {member}"):
        of(crate(**{member: given}))


def test_a_types_file_and_facet_join_the_schema() -> None:
    registry = of(crate(graphql_type=CrateFile, facet_type=CrateFacet))
    assert registry.graphql_types() == [("kites", CrateFile), ("kites", CrateFacet)]


# -- detection --------------------------------------------------------------------------------------------------------


def test_an_upload_goes_to_the_type_that_claims_it() -> None:
    registry = of(named("abc"), named("xyz"))
    file = BytesIO(b"xyz and more")
    assert registry.detect(file, "file", None).name == "xyz"
    assert file.tell() == 0


def test_an_upload_that_nobody_claims_is_refused_with_the_types() -> None:
    with pytest.raises(ValidationError, match=r"'notes\.txt' is a package of no type that this server knows \(abc, xyz\)"):
        of(named("abc"), named("xyz")).detect(BytesIO(b"hello"), "notes.txt", None)


def test_an_upload_that_several_claim_is_refused_with_their_names() -> None:
    with pytest.raises(ValidationError, match=r"'file' could be a package of the types ab and abc\. Say which it is with `type=`"):
        of(named("ab"), named("abc")).detect(BytesIO(b"abc"), "file", None)


def test_the_uploader_decides_between_several_claims() -> None:
    assert of(named("ab"), named("abc")).detect(BytesIO(b"abc"), "file", "ab").name == "ab"


def test_a_wanted_type_that_does_not_claim_the_file_refuses_it() -> None:
    with pytest.raises(ValidationError, match=r"'file' is no abc package\."):
        of(named("abc"), named("xyz")).detect(BytesIO(b"xyz"), "file", "abc")


def test_a_wanted_type_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="There is no package type 'zed' here"):
        of(named("abc")).detect(BytesIO(b"abc"), "file", "zed")


def test_a_type_that_fails_to_detect_is_logged_and_does_not_claim(caplog: pytest.LogCaptureFixture) -> None:
    def broken(self: object, file: BinaryIO, basename: str) -> bool:
        file.read(2)
        raise RuntimeError("the knot is loose")

    registry = of(crate(name="aaa", detect=broken), named("abc"))
    with caplog.at_level(logging.ERROR):
        assert registry.detect(BytesIO(b"abc"), "file", None).name == "abc"
    assert "The package type 'aaa' of the plugin 'kites' failed to detect" in caplog.text
    assert "the knot is loose" in caplog.text


@given(st.binary(max_size=8), st.text(max_size=20))
def test_every_upload_is_claimed_by_one_type_or_refused_with_a_sentence(content: bytes, basename: str) -> None:
    registry = of(named("a"), named("ab"), named("b"))
    claims = [name for name in ("a", "ab", "b") if content.startswith(name.encode())]
    if len(claims) == 1:
        assert registry.detect(BytesIO(content), basename, None).name == claims[0]
    else:
        with pytest.raises(ValidationError, match=re.escape(repr(basename))):
            registry.detect(BytesIO(content), basename, None)
