"""The index documents of a channel: what clients parse, in both dialects, and what must never change or leak."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgpack
import orjson
import pytest
import zstandard
from conda_builder import build_conda
from conda_channel import Channel, Rendered, conda, flat, store
from entrepot.plugin import InvalidPackage, RenderContext, StoredFile
from entrepot_conda.documents import renderings, shard, shard_version
from entrepot_conda.index import clean_index
from entrepot_conda.record import withdrawn
from hypothesis import given
from hypothesis import strategies as st

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | text, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
)
template = store(*build_conda("foo", "1.0", subdir="linux-64"))


def foo(version: str, ext: str = ".conda", **rest: Any) -> StoredFile:
    return store(*build_conda("foo", version, ext=ext, **rest))


def unpack(frame: bytes) -> Any:
    return msgpack.unpackb(zstandard.decompress(frame))


def repodata(files: Sequence[StoredFile], subdir: str = "noarch") -> Any:
    return orjson.loads(Channel(files).document(subdir, "repodata.json"))


def test_an_empty_channel_has_documents_that_clients_read() -> None:
    channel = Channel([])
    empty = {"info": {"subdir": "noarch"}, "packages": {}, "packages.conda": {}, "removed": [], "repodata_version": 1}
    assert orjson.loads(channel.document("noarch", "repodata.json")) == empty
    assert orjson.loads(zstandard.ZstdDecompressor().decompressobj().decompress(channel.document("noarch", "repodata.json.zst"))) == empty
    index = unpack(channel.document("noarch", "repodata_shards.msgpack.zst"))
    assert index == {"version": 1, "info": {"base_url": "", "shards_base_url": "./shards/", "subdir": "noarch"}, "shards": {}}


def test_repodata_holds_each_file_under_the_key_of_its_format() -> None:
    files = [foo("1.0"), foo("2.0", ".tar.bz2"), store(*build_conda("bar", "1!2.0+3", build="py_1", depends=["foo >=1"], ext=".tar.bz2"))]
    document = repodata(files)
    assert set(document["packages"]) == {"foo-2.0-0.tar.bz2", "bar-1!2.0+3-py_1.tar.bz2"}
    assert set(document["packages.conda"]) == {"foo-1.0-0.conda"}
    assert document["packages"]["bar-1!2.0+3-py_1.tar.bz2"] == {
        "build": "py_1",
        "build_number": 1,
        "depends": ["foo >=1"],
        "indexed_timestamp": files[2].uploaded_at,
        "license": "MIT",
        "md5": files[2].md5,
        "name": "bar",
        "noarch": "generic",
        "sha256": files[2].sha256,
        "size": files[2].size,
        "subdir": "noarch",
        "timestamp": 1_700_000_000_000,
        "version": "1!2.0+3",
    }


@pytest.mark.parametrize("extensions", [[".conda"], [".tar.bz2"], [".conda", ".tar.bz2"]])
def test_repodata_is_json_whichever_of_its_maps_are_empty(extensions: list[str]) -> None:
    files = [store(*build_conda(name, "1.0", ext=ext)) for name in ("a", "b", "c") for ext in extensions]
    document = repodata(files)
    assert len(document["packages"]) + len(document["packages.conda"]) == len(files)


def test_the_compressed_repodata_is_one_frame_of_the_same_bytes() -> None:
    channel = Channel([store(*build_conda(f"package{number}", "1.0")) for number in range(40)])
    frame = channel.document("noarch", "repodata.json.zst")
    reader = zstandard.ZstdDecompressor().decompressobj()
    assert reader.decompress(frame) == channel.document("noarch", "repodata.json")
    assert reader.eof
    assert reader.unused_data == b""


def test_a_file_shows_in_its_own_subdir_alone() -> None:
    files = [foo("1.0"), foo("1.0", subdir="linux-64")]
    assert set(repodata(files, "linux-64")["packages.conda"]) == {"foo-1.0-0.conda"}
    assert repodata(files, "linux-64")["packages.conda"]["foo-1.0-0.conda"]["sha256"] == files[1].sha256
    assert repodata(files, "osx-arm64")["packages.conda"] == {}


def test_a_shard_holds_raw_digests_and_run_exports() -> None:
    file = foo("1.0", info={"run_exports.json": b'["foo >=1"]'})
    plain = foo("2.0", ".tar.bz2")
    shard = unpack(Channel([file, plain]).parts("noarch", "shard")["foo"])
    assert set(shard) == {"packages", "packages.conda", "removed"}
    assert shard["removed"] == []
    record = shard["packages.conda"][file.basename]
    assert (record["sha256"], record["md5"]) == (bytes.fromhex(file.sha256), bytes.fromhex(file.md5))
    assert record["run_exports"] == {"weak": ["foo >=1"]}
    assert shard["packages"][plain.basename]["run_exports"] == {}


def test_the_shard_index_names_each_shard_by_the_digest_of_its_bytes() -> None:
    channel = Channel([foo("1.0"), foo("1.1"), store(*build_conda("bar", "1.0"))])
    index = unpack(channel.document("noarch", "repodata_shards.msgpack.zst"))
    assert index["shards"] == {name: hashlib.sha256(body).digest() for name, body in channel.parts("noarch", "shard").items()}
    assert list(index["shards"]) == ["bar", "foo"]


def test_a_shard_of_the_same_entries_is_the_same_until_its_version_is_raised() -> None:
    """Workers that start take the digests of stored shards for their own: raise the number in `shard_version` with the bytes here."""
    entries = [b"," + msgpack.packb("a.conda") + msgpack.packb({"name": "a"}), b"t" + msgpack.packb("a.tar.bz2") + msgpack.packb({})]
    gone = withdrawn("msgpack", entries[0])
    body = b"\x83\xa8packages\x81\xa9a.tar.bz2\x80\xaepackages.conda\x81\xa7a.conda\x81\xa4name\xa1a\xa7removed\x91\xa7a.conda"
    assert shard([*entries, gone]) == zstandard.ZstdCompressor(3).compress(body)
    assert shard_version.startswith("1, ")
    assert zstandard.__version__ in shard_version


def test_run_exports_stay_out_of_repodata() -> None:
    file = foo("1.0", info={"run_exports.json": b'["foo >=1"]'}, index={"run_exports": {"weak": ["x"]}})
    assert "run_exports" not in repodata([file])["packages.conda"][file.basename]


def test_only_content_decides_the_bytes() -> None:
    """Not the order of uploads, not the order of keys, not the time of day: or a change that a reader may not see would move what it does see."""
    files = [foo("1.0"), foo("1.1", ".tar.bz2"), foo("1.2")]
    shuffled = [replace(file, attributes={**file.attributes, "index": dict(reversed(file.attributes["index"].items()))}) for file in reversed(files)]
    for representation in renderings:
        assert Channel(files).document("noarch", representation) == Channel(shuffled).document("noarch", representation)
    assert Channel(files).document("channeldata", "channeldata.json") == Channel(shuffled).document("channeldata", "channeldata.json")


@given(st.dictionaries(text, json_values, max_size=5), st.dictionaries(st.sampled_from(["weak", "strong", "noarch"]), st.lists(text, max_size=2)))
def test_both_dialects_say_the_same(extra: dict[str, Any], run_exports: dict[str, list[str]]) -> None:
    index = {**{key: value for key, value in extra.items() if value is not None and key != "run_exports"}, **template.attributes["index"]}
    file = replace(template, attributes={**template.attributes, "index": index, "run_exports": run_exports})
    channel = Channel([file])
    plain = orjson.loads(channel.document("linux-64", "repodata.json"))["packages.conda"][file.basename]
    packed = unpack(channel.parts("linux-64", "shard")["foo"])["packages.conda"][file.basename]
    assert packed.pop("run_exports") == run_exports
    assert {**packed, "md5": packed["md5"].hex(), "sha256": packed["sha256"].hex()} == plain
    assert plain == {**index, "indexed_timestamp": file.uploaded_at, "md5": file.md5, "sha256": file.sha256, "size": file.size}
    assert list(plain) == sorted(plain, key=lambda key: key.encode())


TEXTS = ("build", "date", "features", "license", "license_family", "name", "preferred_env", "python_site_packages_path", "subdir", "version")
NUMBERS = ("build_number", "indexed_timestamp", "record_version", "size", "timestamp")
LISTS = ("constrains", "depends", "purls", "requires")
UNSAID = (
    *("arch", "attestations_sha256", "build_string", "channel", "extra-depends", "extra_depends", "filename", "flags", "fn", "legacy_bz2_md5"),
    *("legacy_bz2_size", "package_type", "platform", "revoked", "run_exports", "schannel", "url", "urls"),
)
"""The keys of records to which conda, rattler, mamba or libsolv give a type: of text, of numbers, of lists of text, and what no package may say."""
plausible = st.sampled_from(["x", "", "2013-05-21", ["foo >=1"], ["pkg:pypi/foo"], [], 0, 1, -1, True, 1.5, {}, {"a": ["b"]}, {"a": 1}, [1], [None]])


def unreadable(record: dict[str, Any]) -> set[str]:
    """The keys of a record by which some client would refuse the whole document."""
    texts = {key for key in (*TEXTS, "track_features", "noarch") if key in record and not isinstance(record[key], str)}
    numbers = {key for key in NUMBERS if key in record and (type(record[key]) is not int or record[key] < 0)}
    lists = {key for key in LISTS if key in record and not (isinstance(record[key], list) and all(isinstance(item, str) for item in record[key]))}
    return texts | numbers | lists | (set(UNSAID) & record.keys())


@given(st.dictionaries(st.sampled_from([*TEXTS, *NUMBERS, *LISTS, *UNSAID, "noarch", "track_features"]), plausible | json_values, max_size=3))
def test_a_key_of_any_type_is_refused_or_comes_out_as_clients_read_it(said: dict[str, Any]) -> None:
    try:
        index = clean_index({**template.attributes["index"], **said}, now=template.uploaded_at)
    except InvalidPackage:
        assert said
        return
    file = replace(template, attributes={**template.attributes, "index": index})
    channel = Channel([file])
    record = orjson.loads(channel.document(index["subdir"], "repodata.json"))["packages.conda"][file.basename]
    assert unreadable(record) == set()
    assert {record[key] for key in ("md5", "sha256", "size")} == {file.md5, file.sha256, file.size}
    packed = unpack(channel.parts(index["subdir"], "shard")["foo"])["packages.conda"][file.basename]
    assert packed.keys() - record.keys() == {"run_exports"}


@given(
    st.lists(st.tuples(st.sampled_from(["foo", "bar", "baz"]), st.integers(0, 5), st.sampled_from([".conda", ".tar.bz2"])), unique=True, max_size=12)
)
def test_any_channel_renders_to_documents_that_agree(wanted: list[tuple[str, int, str]]) -> None:
    files = [
        replace(
            template,
            name=name,
            basename=f"{name}-{number}-0{ext}",
            path=f"linux-64/{name}-{number}-0{ext}",
            attributes={**template.attributes, "index": {**template.attributes["index"], "name": name, "version": str(number)}},
        )
        for name, number, ext in wanted
    ]
    channel = Channel(files)
    document = orjson.loads(channel.document("linux-64", "repodata.json"))
    shards = [unpack(shard) for shard in channel.parts("linux-64", "shard").values()]
    for key, ext in (("packages", ".tar.bz2"), ("packages.conda", ".conda")):
        expected = {file.basename for file in files if file.basename.endswith(ext)}
        assert set(document[key]) == expected
        assert {basename for shard in shards for basename in shard[key]} == expected


@pytest.mark.parametrize("representation", ["repodata.json", "repodata.json.zst"])
def test_a_document_of_32_megabytes_is_rendered_without_a_copy(representation: str) -> None:
    context = RenderContext(namespace="alice", label="main", document="noarch")
    fragment = conda.render_part("fragment", context, [b',"foo-1.0-0.conda":{"depends":[%s]}' % (b'"a",' * 1000 + b'"b"')])
    parts = Rendered({f"package{number}": bytes(bytearray(fragment)) for number in range(8000)})
    tracemalloc.start()
    try:
        total = sum(map(len, flat(conda.render(representation, context, parts))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 << 20
    assert (total > 32_000_000) == (representation == "repodata.json")


def test_entries_of_an_older_version_are_passed_over() -> None:
    """What cannot be restated keeps the entries that it has: others of the name must not go with it."""
    entry = conda.entries(foo("1.0"))[0].representations
    context = RenderContext(namespace="alice", label="main", document="noarch")
    for part, kind, old in (
        ("fragment", "json", b'c"foo-0.1-0.conda":{"name":"foo"}'),
        ("run_exports", "json", b'c"foo-0.1-0.conda":{"name":"foo"}'),
        ("shard", "msgpack", b"c" + msgpack.packb("foo-0.1-0.conda") + msgpack.packb({})),
    ):
        assert conda.render_part(part, context, [old, entry[kind]]) == conda.render_part(part, context, [entry[kind]])
        assert conda.render_part(part, context, [old]) == conda.render_part(part, context, [])


def hotfixed(file: StoredFile, **changes: Any) -> StoredFile:
    return replace(file, state={"hotfix": changes})


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_a_hotfix_shows_in_every_document_but_those_of_the_packages_as_they_are(ext: str) -> None:
    whole = foo("1.0", ext, depends=["a"], info={"run_exports.json": b'["foo >=1"]'}, index={"track_features": "old"})
    other = foo("2.0", ".conda", depends=["b"])
    channel = Channel([hotfixed(whole, depends=["a <2"], track_features=None, run_exports={"strong": ["foo"]}), other])
    key = "packages.conda" if ext == ".conda" else "packages"
    served = orjson.loads(channel.document("noarch", "repodata.json"))
    record = served[key][whole.basename]
    assert (record["depends"], "track_features" in record, "run_exports" in record) == (["a <2"], False, False)
    packed = unpack(channel.parts("noarch", "shard")["foo"])[key][whole.basename]
    assert (packed["depends"], packed["run_exports"]) == (["a <2"], {"strong": ["foo"]})
    assert channel.document("noarch", "repodata_from_packages.json") == Channel([whole, other]).document("noarch", "repodata.json")
    assert channel.document("noarch", "run_exports.json") == Channel([whole, other]).document("noarch", "run_exports.json")
    assert orjson.loads(channel.document("channeldata", "channeldata.json"))["packages"]["foo"]["run_exports"] == {"1.0": {"strong": ["foo"]}}


def test_a_hotfix_of_nothing_that_differs_changes_no_served_byte() -> None:
    plain, patched = Channel([foo("1.0")]), Channel([hotfixed(foo("1.0"), license="MIT")])
    for representation in renderings:
        assert plain.document("noarch", representation) == patched.document("noarch", representation)


def test_run_exports_are_told_of_every_package_also_of_one_without_any() -> None:
    files = [foo("1.0", info={"run_exports.json": b'{"weak":["foo >=1"],"strong":[]}'}), foo("2.0", ".tar.bz2"), foo("3.0", subdir="linux-64")]
    channel = Channel(files)
    document = orjson.loads(channel.document("noarch", "run_exports.json"))
    assert document == {
        "info": {"arch": "noarch", "platform": "noarch", "subdir": "noarch", "version": 1},
        "packages": {"foo-2.0-0.tar.bz2": {"run_exports": {}}},
        "packages.conda": {"foo-1.0-0.conda": {"run_exports": {"weak": ["foo >=1"]}}},
    }
    assert orjson.loads(zstandard.decompress(channel.document("noarch", "run_exports.json.zst"))) == document
    assert orjson.loads(channel.document("linux-64", "run_exports.json"))["info"] == {
        "arch": "64",
        "platform": "linux",
        "subdir": "linux-64",
        "version": 1,
    }


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_a_file_without_labels_is_told_of_as_removed(ext: str) -> None:
    offered, gone = foo("1.0"), foo("2.0", ext)
    alone = store(*build_conda("bar", "1.0", ext=ext))
    channel = Channel([offered], withdrawn=[gone, alone])
    for representation in ("repodata.json", "repodata_from_packages.json"):
        document = orjson.loads(channel.document("noarch", representation))
        assert document["removed"] == [alone.basename, gone.basename]
        assert list(document["packages.conda"]) == [offered.basename]
        assert document["packages"] == {}
    shards = {name: unpack(shard) for name, shard in channel.parts("noarch", "shard").items()}
    assert shards["foo"]["removed"] == [gone.basename]
    assert list(shards["foo"]["packages.conda"]) == [offered.basename]
    assert shards["bar"] == {"packages": {}, "packages.conda": {}, "removed": [alone.basename]}
    assert list(orjson.loads(channel.document("noarch", "run_exports.json"))["packages.conda"]) == [offered.basename]
    assert list(orjson.loads(channel.document("channeldata", "channeldata.json"))["packages"]) == ["foo"]


@pytest.mark.parametrize("representation", ["", "html", "shards"])
def test_an_unknown_representation_is_an_error(representation: str) -> None:
    context = RenderContext(namespace="alice", label="main", document="noarch")
    with pytest.raises(KeyError):
        conda.render_part(representation, context, [])
    with pytest.raises(KeyError):
        conda.render(representation, context, Rendered({}))
