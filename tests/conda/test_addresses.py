"""What the URLs below a channel mean."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from conda_builder import build_conda
from conda_channel import conda, store
from entrepot.plugin import AddressedTarget, DocumentTarget, FileTarget, RefusalTarget, Target
from entrepot_conda.documents import renderings
from hypothesis import given
from hypothesis import strategies as st

digest = "0123456789abcdef" * 4


def locate(rest: str) -> Target | None:
    return conda.locate(rest, "*/*", "")


@pytest.mark.parametrize("subdir", ["noarch", "linux-64", "osx-arm64", "emscripten-wasm32"])
@pytest.mark.parametrize("name", sorted(renderings))
def test_an_index_document_is_found_by_its_name(subdir: str, name: str) -> None:
    assert locate(f"{subdir}/{name}") == DocumentTarget(subdir, name)


def test_every_document_representation_has_an_address() -> None:
    for representation in conda.document_representations:
        if representation.name == "channeldata.json":
            assert locate("channeldata.json") == DocumentTarget("channeldata", "channeldata.json")
            assert not isinstance(locate("noarch/channeldata.json"), DocumentTarget)
        else:
            assert locate(f"noarch/{representation.name}") == DocumentTarget("noarch", representation.name)


def test_a_shard_is_found_by_its_digest() -> None:
    assert locate(f"linux-64/shards/{digest}.msgpack.zst") == AddressedTarget("linux-64", "shard", digest)


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_a_file_is_found_where_its_location_says(ext: str) -> None:
    file = store(*build_conda("foo", "1!2.0+3", build="a+b_1", subdir="linux-64", ext=ext))
    assert conda.location(file) == f"linux-64/foo-1%212.0%2B3-a%2Bb_1{ext}"
    assert locate(unquote(conda.location(file))) == FileTarget(file.path)


@pytest.mark.parametrize(
    "rest",
    [
        "linux-64/current_repodata.json",
        "linux-64/current_repodata.json.zst",
        "linux-64/repodata.json.bz2",
        "linux-64/repodata.jlap",
        "noarch/repodata_from_packages.json.bz2",
        "noarch/run_exports.json.bz2",
        "channeldata.json.zst",
        "noarch/patch_instructions.json",
        "noarch/notices.json",
    ],
)
def test_what_clients_try_elsewhere_is_refused_cheaply(rest: str) -> None:
    target = locate(rest)
    assert isinstance(target, RefusalTarget)
    assert target.status == 404


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "repodata.json",
        "linux/repodata.json",
        "linux-64/",
        "linux-64/repodata.json/",
        "linux-64/x.txt",
        "linux-64/x.conda",
        "linux-64/a/b-1-0.conda",
        "../linux-64/a-1-0.conda",
        "linux-64/../a-1-0.conda",
        f"linux-64/shards/{digest.upper()}.msgpack.zst",
        f"linux-64/shards/{digest[1:]}.msgpack.zst",
        f"shards/{digest}.msgpack.zst",
        f"linux-64/{digest}.msgpack.zst",
        f"a/b/shards/{digest}.msgpack.zst",
        "label/dev/linux-64/repodata.json",
    ],
)
def test_anything_else_means_nothing(rest: str) -> None:
    assert locate(rest) is None


@given(st.text(max_size=60))
def test_no_url_raises_or_points_out_of_the_channel(rest: str) -> None:
    target = locate(f"linux-64/{rest}")
    assert not isinstance(target, FileTarget) or target.path == f"linux-64/{rest}"
    assert not isinstance(target, FileTarget) or "/" not in rest
