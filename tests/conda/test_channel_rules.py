"""Every document of any channel keeps the rules of its CEP, and all of them tell of the same files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgpack
import orjson
import zstandard
from conda_builder import build_conda
from conda_channel import Channel, store
from entrepot.plugin import StoredFile
from entrepot_conda.traits import Traits
from hypothesis import given, settings
from hypothesis import strategies as st

NAME = re.compile(r"(([a-z0-9])|([a-z0-9_](?!_)))[._-]?([a-z0-9]+(\.|-|_|$))*")
VERSION = re.compile(r"[a-z0-9._+!]{1,64}")
BUILD = re.compile(r"[a-zA-Z0-9_.+]{1,64}")
SUBDIR = re.compile(r"noarch|[a-z0-9]+-[a-z0-9]+")
TRAITS = {"activate.d", "binary_prefix", "deactivate.d", "post_link", "pre_link", "pre_unlink", "text_prefix"}
KINDS = {"weak", "strong", "weak_constrains", "strong_constrains", "noarch"}
template = store(*build_conda("foo", "1.0"))
spec = st.sampled_from(["python", "numpy >=1.22,<3", "a[version='>=1']"])
specs = st.lists(spec, max_size=2)
extras = st.fixed_dictionaries(
    {}, optional={"license": st.sampled_from(["", "é", '"\\\n']), "timestamp": st.integers(1, 1_700_000_000_000), "unknown": st.none()}
)
files = st.builds(
    lambda name, version, build, number, subdir, ext, depends, exports, extra, size: made(
        name, version, f"{build}_{number}", number, subdir, ext, {"depends": depends, **extra}, exports, size
    ),
    st.sampled_from(["_libgcc", "foo", "foo-bar", "x.y", "7zip"]),
    st.sampled_from(["1.0", "1!2.0", "0.1+local.1", "2.0rc1", "1.10"]),
    st.sampled_from(["py", "h0a", "A.b+"]),
    st.integers(0, 3),
    st.sampled_from(["noarch", "linux-64", "osx-arm64"]),
    st.sampled_from([".conda", ".tar.bz2"]),
    specs,
    st.dictionaries(st.sampled_from(sorted(KINDS)), st.lists(spec, min_size=1, max_size=2), max_size=2),
    extras,
    st.integers(1, 2**40),
)
hotfixes = st.fixed_dictionaries({}, optional={"depends": specs, "license": st.none() | st.just("MIT"), "run_exports": st.just({"weak": ["foo"]})})


def made(
    name: str, version: str, build: str, number: int, subdir: str, ext: str, extra: Mapping[str, Any], exports: Mapping[str, Any], size: int
) -> StoredFile:
    basename = f"{name}-{version}-{build}{ext}"
    index = {"name": name, "version": version, "build": build, "build_number": number, "subdir": subdir}
    index |= {key: value for key, value in extra.items() if value is not None}
    attributes = {**template.attributes, "index": index, "run_exports": exports}
    return replace(template, name=name, version=version, basename=basename, path=f"{subdir}/{basename}", attributes=attributes, size=size)


def check_record(name: str, record: Mapping[str, Any], subdir: str) -> None:
    """CEP 26, 34, 36 and 47."""
    assert NAME.fullmatch(record["name"])
    assert VERSION.fullmatch(record["version"])
    assert BUILD.fullmatch(record["build"])
    assert name.startswith(f"{record['name']}-{record['version']}-{record['build']}.")
    assert record["subdir"] == subdir
    assert all(type(record[key]) is int and record[key] >= 0 for key in ("build_number", "size", "indexed_timestamp"))
    assert all(isinstance(spec, str) for spec in record["depends"])
    assert re.fullmatch("[0-9a-f]{64}", record["sha256"])
    assert re.fullmatch("[0-9a-f]{32}", record["md5"])
    assert None not in record.values()


def check_run_exports(exports: Any) -> None:
    """CEP 12."""
    assert exports.keys() <= KINDS
    assert all(isinstance(spec, str) for kind in exports.values() for spec in kind)


def check_maps(document: Mapping[str, Any]) -> None:
    assert all(name.endswith(".tar.bz2") for name in document["packages"])
    assert all(name.endswith(".conda") for name in document["packages.conda"])


def unpack(frame: bytes) -> Any:
    reader = zstandard.ZstdDecompressor().decompressobj()
    body = reader.decompress(frame)
    assert reader.eof
    assert not reader.unused_data
    return msgpack.unpackb(body)


def both(channel: Channel, subdir: str, name: str) -> Any:
    """A document in JSON, which must be the same text in its compressed form."""
    plain = channel.document(subdir, name)
    assert zstandard.decompress(channel.document(subdir, f"{name}.zst")) == plain
    return orjson.loads(plain)


@settings(max_examples=50)
@given(st.lists(st.tuples(files, st.none() | hotfixes, st.booleans()), unique_by=lambda one: one[0].path, max_size=10))
def test_every_document_keeps_its_rules_and_all_tell_of_the_same_files(chosen: list[tuple[StoredFile, dict[str, Any] | None, bool]]) -> None:
    patched = [(file if hotfix is None else replace(file, state={"hotfix": hotfix}), labelled) for file, hotfix, labelled in chosen]
    offered, withdrawn = ([file for file, labelled in patched if labelled is which] for which in (True, False))
    channel = Channel(offered, withdrawn)
    for subdir in ("noarch", "linux-64", "osx-arm64"):
        here = {file.basename: file for file in offered if file.attributes["index"]["subdir"] == subdir}
        gone = sorted(file.basename for file in withdrawn if file.attributes["index"]["subdir"] == subdir)
        document = both(channel, subdir, "repodata.json")
        assert (document["info"], document["repodata_version"], sorted(document["removed"])) == ({"subdir": subdir}, 1, gone)
        check_maps(document)
        records = {**document["packages"], **document["packages.conda"]}
        assert records.keys() == here.keys()
        for name, record in records.items():
            check_record(name, record, subdir)
            assert "run_exports" not in record

        check_shards(channel, subdir, records, gone)

        exports = both(channel, subdir, "run_exports.json")
        check_maps(exports)
        told = {**exports["packages"], **exports["packages.conda"]}
        assert told == {name: {"run_exports": file.attributes["run_exports"]} for name, file in here.items()}
        for one in told.values():
            check_run_exports(one["run_exports"])

        unpatched = orjson.loads(channel.document(subdir, "repodata_from_packages.json"))
        assert unpatched.keys() == document.keys()
        for name, record in {**unpatched["packages"], **unpatched["packages.conda"]}.items():
            rest = {"indexed_timestamp": here[name].uploaded_at, "md5": here[name].md5, "sha256": here[name].sha256, "size": here[name].size}
            assert record == {**here[name].attributes["index"], **rest}
    check_channeldata(orjson.loads(channel.document("channeldata", "channeldata.json")), offered)


def check_shards(channel: Channel, subdir: str, records: Mapping[str, Any], gone: list[str]) -> None:
    """CEP 16 and 21."""
    index = unpack(channel.document(subdir, "repodata_shards.msgpack.zst"))
    assert index["version"] == 1
    assert index["info"] == {"base_url": "", "shards_base_url": "./shards/", "subdir": subdir}
    shards = channel.parts(subdir, "shard")
    assert index["shards"].keys() == shards.keys()
    assert all(type(digest) is bytes and len(digest) == 32 for digest in index["shards"].values())
    sharded: dict[str, Any] = {}
    removed: list[str] = []
    for name, body in shards.items():
        shard = unpack(body)
        check_maps(shard)
        removed += shard["removed"]
        for basename, record in {**shard["packages"], **shard["packages.conda"]}.items():
            assert record["name"] == name
            check_run_exports(record.pop("run_exports"))
            assert (len(record["md5"]), len(record["sha256"])) == (16, 32)
            sharded[basename] = {**record, "md5": record["md5"].hex(), "sha256": record["sha256"].hex()}
    assert sharded == records
    assert sorted(removed) == gone


def check_channeldata(document: Mapping[str, Any], offered: list[StoredFile]) -> None:
    """CEP 38."""
    assert document["channeldata_version"] == 1
    assert document["subdirs"] == sorted({file.attributes["index"]["subdir"] for file in offered})
    assert document["packages"].keys() == {file.name for file in offered}
    for name, about in document["packages"].items():
        own = [file for file in offered if file.name == name]
        assert about["subdirs"] == sorted({file.attributes["index"]["subdir"] for file in own})
        assert all(type(about[trait]) is bool for trait in TRAITS)
        assert type(about["timestamp"]) is int
        assert about["version"] in {file.version for file in own}
        assert about["run_exports"].keys() <= {file.version for file in own}
        for exports in about["run_exports"].values():
            check_run_exports(exports)


def test_the_newest_version_speaks_for_a_name() -> None:
    old = store(*build_conda("foo", "1.9", index={"license": "GPL", "timestamp": 1_600_000_000_000}, info={"about.json": b'{"summary":"Old."}'}))
    about = b'{"summary":"New.","home":"https://foo.example","dev_url":["https://dev.example"]}'
    new = store(*build_conda("foo", "1.10", subdir="linux-64", index={"timestamp": 1_650_000_000}, info={"about.json": about}))
    other = store(*build_conda("bar", "1.0", info={"run_exports.json": b'["bar >=1"]'}))
    document = orjson.loads(Channel([new, old, other]).document("channeldata", "channeldata.json"))
    assert document["subdirs"] == ["linux-64", "noarch"]
    foo, bar = document["packages"]["foo"], document["packages"]["bar"]
    assert (foo["version"], foo["license"], foo["summary"], foo["home"]) == ("1.10", "MIT", "New.", "https://foo.example")
    assert (foo["dev_url"], foo["subdirs"], foo["timestamp"]) == ("https://dev.example", ["linux-64", "noarch"], 1_650_000_000)
    assert (bar["run_exports"], foo["run_exports"], bar["timestamp"]) == ({"1.0": {"weak": ["bar >=1"]}}, {}, 1_700_000_000)


def test_what_any_file_of_a_name_does_is_said_of_the_name() -> None:
    paths = b'{"paths":[{"_path":"lib/x","file_mode":"binary","prefix_placeholder":"/p"},{"_path":"y","path_type":"hardlink"}]}'
    scripts = {"etc/conda/activate.d/foo.sh": b"", "bin/.foo-post-link.sh": b"", "Scripts/.foo-pre-unlink.bat": b"", "share/etc/conda/x": b""}
    for ext in (".conda", ".tar.bz2"):
        old = store(*build_conda("foo", "1.0", ext=ext, files=scripts, info={"paths.json": paths}))
        document = orjson.loads(Channel([old, store(*build_conda("foo", "2.0"))]).document("channeldata", "channeldata.json"))
        held = {trait for trait in TRAITS if document["packages"]["foo"][trait]}
        assert held == {"activate.d", "binary_prefix", "post_link", "pre_unlink"}


@given(st.integers(0, 200))
def test_a_file_mode_is_found_wherever_paths_json_is_cut(cut: int) -> None:
    body = b'{"paths":[{"_path":"' + b"x" * 60 + b'","file_mode" : "text"}]}' + b" " * 80
    traits = Traits()
    traits.scan([body[:cut], body[cut : cut + 30], body[cut + 30 :]])
    assert traits.held == {"text_prefix"}
